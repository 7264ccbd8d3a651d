'use strict';

const { untilAborted } = require('../signals.cjs');

/** Bounds what a file without line ends can make us hold in memory. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

const TOO_LONG = `longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`;

/** A file in pieces, wherever they end: a stream, or what a generator gives. Text is UTF-8.
 * @typedef {AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>} Source */

/**
 * One line of a file, without its line end.
 * @typedef {{
 *   number: number,
 *   bytes: Buffer | null, // null when the line is too long to be held
 *   start: number,        // bytes of the file before it
 *   end: number,          // bytes of the file read up to here, for the progress bar
 * }} Line
 */

/** An abort ends the waiting for a source that gives nothing, too. */
async function* chunks(source, signal) {
  const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]();
  try {
    for (;;) {
      const { done, value } = await untilAborted(Promise.resolve(iterator.next()), signal);
      if (done) return;
      yield typeof value === 'string' ? Buffer.from(value) : asBuffer(value);
    }
  } finally {
    // Lets a stream go. Not waited for: one that hangs would answer this no sooner than what it was asked before.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** The same bytes. @param {Uint8Array} bytes */
function asBuffer(bytes) {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A line that arrives in several chunks. */
class Pieces {
  length = 0;
  /** @type {Buffer[]} */
  #chunks = [];

  /** @param {Buffer} chunk */
  push(chunk) {
    this.length += chunk.length;
    if (this.length <= MAX_LINE_BYTES) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  /** Null when they are too many. */
  bytes() {
    if (this.length > MAX_LINE_BYTES) return null;
    if (this.#chunks.length > 1) return Buffer.concat(this.#chunks);
    return this.#chunks[0] ?? NOTHING;
  }
}

module.exports = { chunks, Pieces, TOO_LONG, MAX_LINE_BYTES };
