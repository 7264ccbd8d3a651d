'use strict';

const { jobArguments } = require('../arguments.cjs');
const { meter } = require('../progress.cjs');
const { MAX_LINE_BYTES } = require('./lines.cjs');
const { header, Seal } = require('./seal.cjs');

/**
 * A user's memories as JSON Lines, read a page at a time as they are asked for. Documented in index.d.ts.
 *
 * @param {() => import('../handle.cjs').Handle} open called when the first line is asked for
 * @param {unknown} userId
 * @param {unknown} options
 * @returns {AsyncGenerator<string, void>}
 */
async function* exportMemories(open, userId, options) {
  const { args, signal, onProgress } = jobArguments(options, 'options', { userId, cursor: undefined });
  const handle = open();
  let page = await handle.call({ op: 'exportPage', args, signal });
  let unimportable = 0;
  const told = onProgress && ((progress) => onProgress({ ...progress, unimportable }));
  const tell = meter(page.total, told);
  const seal = new Seal();
  yield lineOf(header(args.userId));
  for (;;) {
    for (const line of page.lines) {
      seal.add(line);
      yield `${line}\n`;
    }
    unimportable += page.unimportable + page.lines.filter(isTooLong).length;
    if (seal.count > 0) tell(seal.count);
    if (page.nextCursor === null) break;
    page = await handle.call({ op: 'exportPage', args: { ...args, cursor: page.nextCursor }, signal });
  }
  yield lineOf(seal.trailer(unimportable));
}

/** A character is three bytes at most. @param {string} line */
function isTooLong(line) {
  return line.length > MAX_LINE_BYTES / 3 && Buffer.byteLength(line) > MAX_LINE_BYTES;
}

const lineOf = (value) => `${JSON.stringify(value)}\n`;

module.exports = { exportMemories };
