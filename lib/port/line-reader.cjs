'use strict';

const { chunks, Pieces } = require('./lines.cjs');

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** So many carriage returns before a line feed are one line end with it; programs that convert twice leave two. */
const MAX_RETURNS = 4;

/** Lines are told together up to here: a file that is given whole has millions of them. */
const PIECE_BYTES = 64 * 1024;

const UTF8_MARK_BYTES = 3;

/** @typedef {import('./lines.cjs').Line} Line */

/**
 * The lines of a file, whatever ends them: LF, CR LF, CR CR LF, LF CR or CR alone, also mixed. A byte order mark is left out,
 * and UTF-16 becomes UTF-8. They are bytes: an mbox mixes character sets, so decoding is the business of whoever knows them.
 * Answers the lines of a piece together: one by one takes twice as long.
 *
 * @param {import('./lines.cjs').Source} source
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Line[]>}
 */
async function* readLines(source, signal) {
  const lines = new Lines();
  const text = new Utf16();
  for await (const chunk of chunks(source, signal)) {
    const decoded = text.decode(chunk);
    lines.skip(text.takeMark());
    yield* lines.pushAll(decoded);
  }
  yield* lines.pushAll(text.finish());
  yield lines.finish();
}

class Lines {
  #number = 0;
  #start = 0;
  #end = 0;
  #line = new Pieces();
  /** Carriage returns met, of which it is not known yet what they are. */
  #returns = 0;
  #afterNewline = false;
  /** @type {Line[]} */
  #lines = [];

  /** Bytes of the file that belong to no line. @param {number} length */
  skip(length) {
    this.#start += length;
    this.#end += length;
  }

  /** @param {Buffer} chunk */
  *pushAll(chunk) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES)
      yield this.push(chunk.subarray(at, at + PIECE_BYTES));
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    let at = 0;
    let newline = chunk.indexOf(NEWLINE);
    let carriageReturn = chunk.indexOf(CARRIAGE_RETURN);
    while (at < chunk.length) {
      if (this.#returns > 0) at = this.#afterReturns(chunk, at);
      if (newline !== -1 && newline < at) newline = chunk.indexOf(NEWLINE, at);
      if (carriageReturn !== -1 && carriageReturn < at) carriageReturn = chunk.indexOf(CARRIAGE_RETURN, at);
      const stop = Math.min(
        newline === -1 ? chunk.length : newline,
        carriageReturn === -1 ? chunk.length : carriageReturn,
      );
      this.#text(chunk.subarray(at, stop));
      if (stop === newline) this.#endLine(1, true);
      else if (stop === carriageReturn) this.#returns = 1;
      at = stop + 1;
    }
    return this.#taken();
  }

  finish() {
    this.#loneReturns();
    if (this.#line.length > 0) this.#endLine(0, false);
    return this.#taken();
  }

  /** Counts the carriage returns on from `at`, and decides what they are once something else follows. */
  #afterReturns(chunk, from) {
    let at = from;
    while (chunk[at] === CARRIAGE_RETURN) at += 1;
    this.#returns += at - from;
    if (at === chunk.length) return at;
    if (chunk[at] !== NEWLINE || this.#returns > MAX_RETURNS) this.#loneReturns();
    else {
      this.#endLine(this.#returns + 1, true);
      this.#returns = 0;
      return at + 1;
    }
    return at;
  }

  /** Each ends a line; one right behind a line feed belongs to it. */
  #loneReturns() {
    if (this.#afterNewline && this.#line.length === 0 && this.#returns === 1) {
      this.#end += 1;
      this.#start = this.#end;
    } else for (let count = this.#returns; count > 0; count -= 1) this.#endLine(1, false);
    this.#returns = 0;
  }

  #text(bytes) {
    if (bytes.length === 0) return;
    this.#line.push(bytes);
    this.#end += bytes.length;
  }

  #endLine(length, newline) {
    this.#end += length;
    this.#lines.push({
      number: ++this.#number,
      bytes: this.#line.bytes(),
      start: this.#start,
      end: this.#end,
    });
    this.#start = this.#end;
    if (this.#line.length > 0) this.#line = new Pieces();
    this.#afterNewline = newline;
  }

  #taken() {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }
}

/** UTF-16 with a byte order mark as UTF-8. Other bytes are left as they are, for each mail says what they are. */
class Utf16 {
  /** @type {import('node:util').TextDecoder | null | undefined} */
  #decoder;
  /** @type {Buffer} */
  #first = Buffer.alloc(0);
  #markLength = 0;

  /** The length of the mark that was left out, once. */
  takeMark() {
    const length = this.#markLength;
    this.#markLength = 0;
    return length;
  }

  /** @param {Buffer} chunk */
  decode(chunk) {
    if (this.#decoder === undefined) {
      chunk = this.#first.length > 0 ? Buffer.concat([this.#first, chunk]) : chunk;
      this.#first = chunk;
      if (chunk.length < 3) return Buffer.alloc(0);
      this.#decoder = decoderFor(chunk);
      if (this.#decoder === null && startsWithUtf8Mark(chunk)) {
        this.#markLength = UTF8_MARK_BYTES;
        return chunk.subarray(UTF8_MARK_BYTES);
      }
    }
    return this.#decoder ? Buffer.from(this.#decoder.decode(chunk, { stream: true })) : chunk;
  }

  finish() {
    if (this.#decoder === undefined) return this.#first;
    return this.#decoder ? Buffer.from(this.#decoder.decode()) : Buffer.alloc(0);
  }
}

/** @param {Buffer} bytes */
function decoderFor(bytes) {
  const mark = bytes.readUInt16BE(0);
  if (mark === 0xfffe) return new TextDecoder('utf-16le');
  return mark === 0xfeff ? new TextDecoder('utf-16be') : null;
}

/** @param {Uint8Array} bytes */
function startsWithUtf8Mark(bytes) {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

module.exports = { readLines, startsWithUtf8Mark };
