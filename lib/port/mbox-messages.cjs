'use strict';

const { readLines } = require('./lines.cjs');

/** Bounds what one mail with large attachments can make us hold in memory. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const CRLF = Buffer.from('\r\n');
const CAPITAL_F = 0x46;
const GREATER_THAN = 0x3e;

/** `From sender Mon Mar  2 10:13:23 2026`, with or without a zone: a mere "From" may begin a sentence. */
const SEPARATOR = /^From .*\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*\b\d{1,2}:\d{2}\b.*\b\d{4}\b/;
const POSTMARK_DATE = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*$/;

/** The mboxrd rule: every line of `>`s and `From ` was given one `>` by the writer. */
const ESCAPED_FROM = /^>+From /;

/**
 * One mail, unescaped, with the number of its `From ` line.
 * @typedef {{ line: number, end: number, bytes?: Buffer, postmark?: Date, error?: string }} RawMessage
 */

/**
 * Splits an mbox after RFC 4155: a mail begins with a `From ` line that is the first line or follows a blank one.
 *
 * @param {import('./lines.cjs').Source} source
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<RawMessage>}
 */
async function* readMessages(source, signal) {
  let message = null;
  let afterBlank = true;
  for await (const line of readLines(source, signal)) {
    const from = fromLine(line.bytes);
    if (afterBlank && SEPARATOR.test(from)) {
      const finished = message?.finish();
      if (finished) yield finished;
      message = new Message(line, from);
    } else {
      message ??= new Stray(line);
      message.add(line, from);
    }
    afterBlank = line.bytes?.length === 0;
  }
  const finished = message?.finish();
  if (finished) yield finished;
}

class Message {
  #line;
  #postmark;
  #lines = [];
  #size = 0;
  #end;
  #error;

  constructor(line, from) {
    this.#line = line.number;
    this.#end = line.end;
    this.#postmark = postmarkDate(from);
  }

  add({ bytes, end }, from) {
    this.#end = end;
    this.#size += bytes?.length ?? Number.POSITIVE_INFINITY;
    if (this.#size > MAX_MESSAGE_BYTES) this.#fail(`mail larger than ${MAX_MESSAGE_BYTES / 1024 / 1024} MiB`);
    else this.#lines.push(ESCAPED_FROM.test(from) ? bytes.subarray(1) : bytes, CRLF);
  }

  #fail(error) {
    this.#error = error;
    this.#lines = [];
  }

  finish() {
    const place = { line: this.#line, end: this.#end };
    if (this.#error) return { ...place, error: this.#error };
    return { ...place, bytes: Buffer.concat(this.#lines), postmark: this.#postmark };
  }
}

/** What stands before the first `From ` line: blank lines, or something that is no mbox. */
class Stray {
  #line;
  #end;
  #isBlank = true;

  constructor({ number }) {
    this.#line = number;
  }

  add({ bytes, end }) {
    this.#end = end;
    this.#isBlank &&= bytes?.length === 0;
  }

  finish() {
    if (this.#isBlank) return null;
    return { line: this.#line, end: this.#end, error: 'text before the first "From " line' };
  }
}

/** The start of a line that a rule of mbox may speak of; other lines are left alone for speed. */
function fromLine(bytes) {
  const first = bytes?.[0];
  return first === CAPITAL_F || first === GREATER_THAN ? bytes.toString('latin1', 0, 256) : '';
}

function postmarkDate(from) {
  const date = new Date(from.match(POSTMARK_DATE)?.[0] ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}

module.exports = { readMessages };
