'use strict';

const { createInterface } = require('node:readline/promises');

/**
 * Whether what may cost money is wanted: `--yes`, or yes at a terminal. Where nobody can be asked, the answer is no and
 * says how to say yes.
 *
 * @param {string} question
 * @param {{ yes?: boolean, context: import('./context.cjs').Context }} options
 * @returns {Promise<boolean>}
 */
async function confirmed(question, { yes, context }) {
  context.note(question);
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    context.note('Nothing was done: add --yes to do it.');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('Go on? [y/N] ', { signal: context.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

module.exports = { confirmed };
