'use strict';

const { postmarkDate } = require('./dates.cjs');

/**
 * Which `From ` lines begin a mail. Mail programs write them in many ways, and texts begin lines with "From", too; what
 * tells them apart is what follows. A mail begins
 *
 * - at a postmark that stands first or behind a blank line and has a sender and a date, if headers or a blank line follow,
 * - at any postmark (bare, `From -`, an address, a date), blank line or not, if headers that mails have follow,
 * - at any other line `From …` if such headers follow that no text would have,
 *
 * but not right behind the headers of a part `message/rfc822`, which begin with a postmark where a program forgot to quote it.
 */

const FROM_LINE = /^From(?:[ \t]|$)(?![ \t]*:)/;
const HEADER = /^([!-9;-~]{1,100})[ \t]*:/;
const CONTINUATION = /^[ \t]+\S/;
/** An old writer of spools puts further postmarks behind the first. */
const FURTHER_POSTMARK = /^>From /;

/** Sender, and something behind it. */
const SENT = /^From[ \t]+(?:-|\S*[@!?]\S*|\S+ at \S+|MAILER-DAEMON)[ \t]+\S/i;
/** Weekday, time and year, in any order that ctime or a mail program has. */
const CLASSIC = /^From .*\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*\b\d{1,2}:\d{2}\b.*\b\d{4}\b/;
const ADDRESS = /^From[ \t]+(?:<?\S*[@!]\S*>?|\S+ at \S+\.\S+|MAILER-DAEMON)[ \t]*$/i;
const DASH = /^From[ \t]+-(?:[ \t]|$)/;
const BARE = /^From[ \t]*$/;
/** Around each mail of an MMDF mailbox; a mail begins at it as at a bare `From `. */
const MMDF = '\u0001'.repeat(4);

const KNOWN = new Set(
  (
    'apparently-to approved authentication-results auto-submitted bcc cc comments content-disposition content-language ' +
    'content-length content-transfer-encoding content-type date delivered-to delivery-date disposition-notification-to ' +
    'dkim-signature domainkey-signature envelope-from envelope-to errors-to feedback-id from importance in-reply-to ' +
    'keywords lines mail-followup-to message-id mime-version newsgroups organization original-recipient path precedence ' +
    'priority received received-spf references reply-to return-path return-receipt-to sender sensitivity status subject ' +
    'thread-index thread-topic to user-agent xref'
  ).split(' '),
);
const KNOWN_FAMILY = /^(?:x|arc|list|resent|autocrypt|dkim)-/;
/** They stand in mails, and hardly ever in a text under a line that begins with "From". */
const TELLING = new Set('date delivered-to from message-id mime-version received return-path'.split(' '));
const TELLING_FAMILY = /^(?:x-(?:mozilla|gm|gmail|uid|status|keywords)|arc|dkim|resent)-?/;

/** So many lines of headers say enough. */
const MAX_LINES = 64;

/** @param {string} line */
const isFromLine = (line) => FROM_LINE.test(line) || isMmdf(line);

/** @param {string} line */
const isMmdf = (line) => line.startsWith(MMDF) && line.trimEnd() === MMDF;

/** @param {string} line */
const headerName = (line) => HEADER.exec(line)?.[1].toLowerCase();

/** @param {string | undefined} name */
const isKnown = (name) => name !== undefined && (KNOWN.has(name) || KNOWN_FAMILY.test(name));

/** A line that may begin a mail, until what follows it has told. */
class Candidate {
  /** @type {import('./lines.cjs').Line[]} */
  lines;
  /** @type {boolean} */
  afterBlank;
  /** The line as text. */
  text;
  /** Whether its second line belongs to the postmark. */
  isFolded = false;
  #names = [];
  #isFirst;
  #isOfPart;

  /**
   * @param {import('./lines.cjs').Line} line
   * @param {string} text
   * @param {{ afterBlank: boolean, isFirst: boolean, isOfPart?: boolean }} place `isOfPart`: where a part of a mail begins that
   *   is a mail itself
   */
  constructor(line, text, { afterBlank, isFirst, isOfPart = false }) {
    this.lines = [line];
    this.text = text;
    this.afterBlank = afterBlank;
    this.#isFirst = isFirst;
    this.#isOfPart = isOfPart;
  }

  /** Takes a line that still belongs to the headers under this one. Answers whether it was one. */
  takes(line, text) {
    const name = headerName(text);
    const goesOn = this.#names.length > 0 && CONTINUATION.test(text);
    const further = this.#names.length === 0 && FURTHER_POSTMARK.test(text);
    if (this.lines.length > MAX_LINES || line.bytes === null || isFromLine(text)) return false;
    if (this.#folds(text)) {
      this.isFolded = true;
      this.text += text;
      this.lines.push(line);
      return true;
    }
    if (name === undefined && !goesOn && !further) return false;
    if (name !== undefined) this.#names.push(name);
    this.lines.push(line);
    return true;
  }

  /** A postmark that some program folded like a header. */
  #folds(text) {
    const isSecond = this.lines.length === 1 && this.#names.length === 0 && !this.isFolded;
    return isSecond && CONTINUATION.test(text) && postmarkDate(this.text + text) !== undefined;
  }

  /**
   * @param {boolean} blankFollows whether a blank line, or nothing, follows what was taken
   * @returns {'mail' | 'text' | 'unclear'}
   */
  verdict(blankFollows) {
    const verdict = this.#verdictAlone(blankFollows);
    return verdict === 'mail' && this.#isOfPart ? 'unclear' : verdict;
  }

  #verdictAlone(blankFollows) {
    const known = new Set(this.#names.filter(isKnown));
    const telling = [...known].filter((name) => TELLING.has(name) || TELLING_FAMILY.test(name)).length;
    const isWhole = this.#isWholePostmark();
    const opens = this.afterBlank || this.#isFirst;
    if (isWhole && opens && (known.size > 0 || blankFollows)) return 'mail';
    if (known.size > 0 && (isWhole || this.#isPostmark())) return 'mail';
    if (known.size > 0 && this.#isFirst) return 'mail';
    if (telling > 0 && known.size >= (this.afterBlank ? 2 : 3)) return 'mail';
    if (known.size > 0 || isWhole) return 'unclear';
    return 'text';
  }

  /** @returns {Date | undefined} */
  get postmark() {
    return postmarkDate(this.text);
  }

  #isWholePostmark() {
    return CLASSIC.test(this.text) || (SENT.test(this.text) && this.postmark !== undefined);
  }

  #isPostmark() {
    const { text } = this;
    return (
      BARE.test(text) ||
      isMmdf(text) ||
      DASH.test(text) ||
      ADDRESS.test(text) ||
      SENT.test(text) ||
      this.postmark !== undefined
    );
  }
}

module.exports = { Candidate, headerName, isFromLine, isKnown, isMmdf };
