'use strict';

const { TOO_LONG } = require('./lines.cjs');
const { readLines, startsWithUtf8Mark } = require('./line-reader.cjs');
const { Candidate, headerName, isFromLine, isKnown, isMmdf } = require('./mbox-separators.cjs');

/** Bounds what one mail with large attachments can make us hold in memory. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** So much of a body is kept apart until it is known whether its `Content-Length` is right. */
const MAX_HELD_LINES = 20_000;
/** A file whose `Content-Length`s were wrong so often has them from elsewhere. */
const MAX_WRONG_LENGTHS = 3;

const CRLF = Buffer.from('\r\n');
/** The start of a line that rules of mbox may speak of. */
const MAX_START = 512;
/** The mboxrd rule: every line of `>`s and `From ` was given one `>` by the writer. */
const ESCAPED_FROM = /^>+From /;
/** `F`, `>`, the first byte of a byte order mark, that of MMDF, and `C` for the headers of parts. */
const MARKS = new Set([0x46, 0x3e, 0xef, 0x01, 0x43, 0x63]);
const MAIL_PART = /^content-type[ \t]*:[ \t]*message\/(?:rfc822|global)\b/i;
const PART_HEADER = /^(?:content-|[ \t])/i;
const CONTENT_LENGTH = /^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*$/im;

/**
 * One mail, unescaped, with the number of its `From ` line. `unclear`: lines in it that may begin another, and may not.
 * @typedef {{ line: number, end: number, unclear: number[], bytes?: Buffer, postmark?: Date, error?: string }} RawMessage
 */

/**
 * Splits a mailbox, see mbox-separators.cjs for where. Holds one mail at a time.
 *
 * @param {import('./lines.cjs').Source} source
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<RawMessage>}
 */
async function* readMessages(source, signal) {
  const splitter = new Splitter();
  for await (const lines of readLines(source, signal)) {
    for (const line of lines) splitter.take(line);
    yield* splitter.finished();
  }
  splitter.end();
  yield* splitter.finished();
}

class Splitter {
  /** @type {RawMessage[]} */
  #finished = [];
  /** @type {Message | Stray | null} */
  #current = null;
  /** @type {Candidate | null} */
  #candidate = null;
  /** Lines that a `Content-Length` says are of the body, from the first on that looks like a beginning. */
  /** @type {{ limit: number, lines: import('./lines.cjs').Line[], afterBlank: boolean } | null} */
  #held = null;
  #wrongLengths = 0;
  #afterBlank = true;
  /** Whether a part that is a mail begins: after its headers, or behind the line that ends them. */
  /** @type {'' | 'headers' | 'start'} */
  #mailPart = '';

  finished() {
    return this.#finished.splice(0);
  }

  /** @param {import('./lines.cjs').Line} line */
  take(line) {
    if (this.#held && this.#holds(line, this.#held)) return;
    const text = this.#startOf(line);
    if (this.#candidate) {
      if (this.#candidate.takes(line, text)) return;
      this.#decide(this.#candidate, isBlank(line));
      if (this.#held) return this.take(line);
    }
    if (isFromLine(text) || this.#mayBeHeaders(text)) this.#examine(line, text);
    else this.#add(line, text);
    this.#afterBlank = isBlank(line);
    this.#followPart(line, text);
  }

  #followPart({ bytes }, text) {
    const isHeader = () => PART_HEADER.test(text || String.fromCharCode(bytes?.[0] ?? 0));
    if (MAIL_PART.test(text)) this.#mailPart = 'headers';
    else if (this.#mailPart === 'headers' && this.#afterBlank) this.#mailPart = 'start';
    else if (this.#mailPart !== '' && !(this.#mailPart === 'headers' && isHeader())) this.#mailPart = '';
  }

  end() {
    if (this.#candidate) this.#decide(this.#candidate, true);
    if (this.#held) {
      const { limit, lines } = this.#held;
      this.#settle(this.#held, Math.abs(lines[lines.length - 1].end - limit) <= 2);
      return this.end();
    }
    this.#finish();
  }

  /** Of a body only the lines that a rule may speak of are looked at, for speed. */
  #startOf(line) {
    const inBody = this.#candidate === null && this.#current !== null && !this.#current.readsAll;
    return inBody && !MARKS.has(line.bytes?.[0]) ? '' : startOf(line);
  }

  #examine(line, text) {
    const isFirst = this.#current === null || this.#current.isBlank;
    this.#candidate = isFromLine(text)
      ? new Candidate(line, text, {
          afterBlank: this.#afterBlank,
          isFirst,
          isOfPart: this.#mailPart === 'start',
        })
      : new Headless(line, text);
  }

  /** The first line of a file may be a header. */
  #mayBeHeaders(text) {
    return (this.#current === null || this.#current.isBlank) && isKnown(headerName(text));
  }

  /** @param {Candidate} candidate @param {boolean} blankFollows */
  #decide(candidate, blankFollows) {
    this.#candidate = null;
    const [first, ...others] = candidate.lines;
    const verdict = candidate.verdict(blankFollows);
    if (verdict === 'mail' && this.#current?.mayHold(first.start)) {
      this.#held = { limit: this.#current.limit, lines: candidate.lines, afterBlank: candidate.afterBlank };
      return;
    }
    const rest = verdict === 'mail' && candidate.isFolded ? others.slice(1) : others;
    if (verdict === 'mail') this.#begin(candidate);
    else this.#add(first, candidate.text, verdict === 'unclear');
    for (const line of rest) this.#add(line, startOf(line));
    this.#afterBlank = false;
    this.#mailPart = MAIL_PART.test(startOf(candidate.lines[candidate.lines.length - 1])) ? 'headers' : '';
  }

  #begin(candidate) {
    this.#finish();
    const [first] = candidate.lines;
    const trusted = this.#wrongLengths < MAX_WRONG_LENGTHS;
    this.#current = new Message(first, candidate.postmark, trusted);
    if (candidate.isHeadless) this.#add(first, candidate.text);
  }

  /** Whether a line waits with the others until the end that `Content-Length` tells. */
  #holds(line, { limit, lines, afterBlank }) {
    if (line.start < limit && lines.length < MAX_HELD_LINES) {
      lines.push(line);
      return true;
    }
    const isRight =
      line.start >= limit && line.start <= limit + 2 && (isBlank(line) || isFromLine(startOf(line)));
    this.#settle({ lines, afterBlank }, isRight);
    return false;
  }

  #settle({ lines, afterBlank }, isRight) {
    this.#held = null;
    /** @type {Message} */ (this.#current).forgetLength();
    if (isRight) {
      for (const line of lines) this.#add(line, startOf(line));
      this.#afterBlank = true;
      return;
    }
    this.#wrongLengths += 1;
    this.#afterBlank = afterBlank;
    for (const line of lines) this.take(line);
  }

  #add(line, text, isUnclear = false) {
    if (isMmdf(text)) return;
    this.#current ??= new Stray(line);
    this.#current.add(line, text);
    if (isUnclear) this.#current.unclear.push(line.number);
  }

  #finish() {
    const message = this.#current?.finish();
    if (message) this.#finished.push(message);
    this.#current = null;
  }
}

/** A mail without a postmark, as a file has that holds a single one: its first line is a header. */
class Headless extends Candidate {
  isHeadless = true;

  constructor(line, text) {
    super(line, text, { afterBlank: true, isFirst: true });
    this.takes(line, text);
    this.lines.pop();
  }

  get postmark() {
    return undefined;
  }
}

class Message {
  isBlank = false;
  /** @type {number[]} */
  unclear = [];
  /** Where the body ends, if its headers say so. */
  limit = 0;
  #line;
  #end;
  #postmark;
  #trusted;
  #bytes = new Bytes();
  #inHeaders = true;
  /** A line of white space among the headers is their end, unless more headers follow. */
  #spaces = false;
  #error;

  constructor(line, postmark, trusted) {
    this.#line = line.number;
    this.#end = line.end;
    this.#postmark = postmark;
    this.#trusted = trusted;
  }

  /** Whether what begins here is of the body by `Content-Length`. */
  mayHold(start) {
    return start < this.limit;
  }

  forgetLength() {
    this.limit = 0;
  }

  get readsAll() {
    return this.#inHeaders;
  }

  add(line, text) {
    const { bytes, end } = line;
    this.#end = end;
    if (bytes === null) this.#fail(`mail with a line ${TOO_LONG}`);
    if (this.#error) return;
    if (this.#inHeaders) this.#addHeader(line, text);
    else this.#append(ESCAPED_FROM.test(text) ? bytes.subarray(1) : bytes);
  }

  #addHeader(line, text) {
    const isHeader = headerName(text) !== undefined || (!this.#spaces && /^[ \t]/.test(text));
    if (line.bytes.length === 0) this.#endHeaders(line.end);
    else if (isBlank(line)) this.#spaces = true;
    else if (isHeader) this.#append(line.bytes);
    else if (this.#spaces || !ESCAPED_FROM.test(text)) {
      // As mail servers read it: a line that is no header begins the body.
      this.#endHeaders(line.start);
      this.#append(ESCAPED_FROM.test(text) ? line.bytes.subarray(1) : line.bytes);
    }
    if (isHeader) this.#spaces = false;
  }

  #endHeaders(at) {
    this.#inHeaders = false;
    const length = this.#trusted && CONTENT_LENGTH.exec(this.#bytes.view().toString('latin1'));
    if (length) this.limit = at + Number(length[1]);
    this.#append(Buffer.alloc(0));
  }

  #append(bytes) {
    if (this.#bytes.length + bytes.length > MAX_MESSAGE_BYTES) {
      this.#fail(`mail larger than ${MAX_MESSAGE_BYTES / 1024 / 1024} MiB`);
    } else {
      this.#bytes.append(bytes);
      this.#bytes.append(CRLF);
    }
  }

  #fail(error) {
    this.#error = error;
    this.#bytes = new Bytes();
  }

  finish() {
    const place = { line: this.#line, end: this.#end, unclear: this.unclear };
    if (this.#error) return { ...place, error: this.#error };
    return { ...place, bytes: this.#bytes.view(), postmark: this.#postmark };
  }
}

/** What stands before the first mail: blank lines, or something that is no mbox. */
class Stray {
  limit = 0;
  /** @type {number[]} */
  unclear = [];
  isBlank = true;
  #line;
  #end = 0;

  constructor({ number }) {
    this.#line = number;
  }

  get readsAll() {
    return this.isBlank;
  }

  mayHold() {
    return false;
  }

  add(line) {
    this.#end = line.end;
    this.isBlank &&= isBlank(line);
  }

  finish() {
    if (this.isBlank) return null;
    const { unclear } = this;
    return { line: this.#line, end: this.#end, unclear, error: 'text before the first "From " line' };
  }
}

/** Bytes one behind the other, in one piece: a list of millions of short lines would take many times their size. */
class Bytes {
  length = 0;
  #buffer = Buffer.allocUnsafe(4096);

  /** @param {Buffer} bytes */
  append(bytes) {
    const length = this.length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.length);
    this.length = length;
  }

  view() {
    return this.#buffer.subarray(0, this.length);
  }
}

/** @param {import('./lines.cjs').Line} line */
function startOf({ bytes }) {
  if (!bytes) return '';
  const from = startsWithUtf8Mark(bytes) ? 3 : 0;
  return bytes.toString('latin1', from, from + MAX_START);
}

/** White space counts as nothing. */
function isBlank({ bytes }) {
  if (!bytes || bytes.length > 80) return false;
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0xa0);
}

module.exports = { readMessages };
