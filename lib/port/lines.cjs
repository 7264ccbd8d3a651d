'use strict';

const { untilAborted } = require('../signals.cjs');

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

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
 *   end: number,          // bytes of the file read up to here, for the progress bar
 * }} Line
 */

/**
 * Lines as bytes: an mbox mixes character sets, so decoding is the business of whoever knows them.
 *
 * @param {Source} source
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Line>}
 */
async function* readLines(source, signal) {
  let number = 0;
  let end = 0;
  let pieces = new Pieces();
  for await (const chunk of chunks(source, signal)) {
    let start = 0;
    for (let stop = chunk.indexOf(NEWLINE); stop !== -1; stop = chunk.indexOf(NEWLINE, start)) {
      pieces.push(chunk.subarray(start, stop));
      yield { number: ++number, bytes: pieces.join(), end: end + stop + 1 };
      pieces = new Pieces();
      start = stop + 1;
    }
    pieces.push(chunk.subarray(start));
    end += chunk.length;
  }
  if (pieces.length > 0) yield { number: ++number, bytes: pieces.join(), end };
}

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

  /** The same without the carriage return of a line end. */
  join() {
    const bytes = this.bytes();
    return bytes?.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
  }
}

module.exports = { chunks, Pieces, readLines, TOO_LONG };
