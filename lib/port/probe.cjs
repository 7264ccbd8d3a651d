'use strict';

const { open } = require('node:fs/promises');

const MBOX_START = 'From ';

/**
 * How large a file is, and what it looks like.
 *
 * @param {string} path
 * @returns {Promise<{ bytes: number, format: 'jsonl' | 'mbox' }>}
 */
async function probe(path) {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MBOX_START.length), position: 0 });
    const isMbox = path.endsWith('.mbox') || buffer.toString('latin1', 0, bytesRead) === MBOX_START;
    return { bytes: size, format: isMbox ? 'mbox' : 'jsonl' };
  } finally {
    await file.close();
  }
}

module.exports = { probe };
