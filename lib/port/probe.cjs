'use strict';

const { open } = require('node:fs/promises');

const { invalid } = require('../errors.cjs');
const { headerName, isFromLine, isKnown } = require('./mbox-separators.cjs');

const START_BYTES = 4096;

/**
 * How large a file is, and what it looks like.
 *
 * @param {string} path
 * @returns {Promise<{ bytes: number, format: 'jsonl' | 'mbox' }>}
 */
async function probe(path) {
  const file = await open(path);
  try {
    const stats = await file.stat();
    // Apple Mail exports a folder with the mailbox in it.
    if (stats.isDirectory())
      throw invalid('file', 'is a folder; name a file in it, as mbox in one of Apple Mail');
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(START_BYTES), position: 0 });
    const isMbox = /\.(?:mbox|mbx|eml)$/i.test(path) || startsLikeMail(buffer.subarray(0, bytesRead));
    return { bytes: stats.size, format: isMbox ? 'mbox' : 'jsonl' };
  } finally {
    await file.close();
  }
}

/** The first line with anything in it is a postmark or a header. @param {Buffer} start */
function startsLikeMail(start) {
  const encoding =
    start[0] === 0xfe && start[1] === 0xff
      ? 'utf-16be'
      : start[0] === 0xff && start[1] === 0xfe
        ? 'utf-16le'
        : 'utf-8';
  const [line] = new TextDecoder(encoding)
    .decode(start)
    .trimStart()
    .split(/[\r\n]/, 1);
  return isFromLine(line) || isKnown(headerName(line));
}

module.exports = { probe };
