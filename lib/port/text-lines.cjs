'use strict';

/** They are not seen: soft hyphens, and what senders fill the preview of a mail with. */
const UNSEEN =
  /\u034f|\u17b4|\u17b5|[\u00ad\u115f\u1160\u180e\u200b\u200e\u200f\u2060-\u2064\u3164\ufeff\uffa0]/g;
/** Joiners mean something between letters and between emoji only. */
const LOOSE_JOINER = /(?<![\p{L}\p{M}\p{So}\p{Sk}])[\u200c\u200d]+|[\u200c\u200d]+(?![\p{L}\p{M}\p{So}])/gu;
const SPACES = /[\s\u00a0\u2007\u202f]+/g;

/** Lines as they come together: elements that end at one place break the line there once. */
class TextLines {
  /** @type {string[]} */
  #lines = [];
  /** @type {string[]} */
  #pieces = [];
  #breaks = 0;
  #endsWithSpace = true;
  #skipsNewline = false;

  break() {
    this.#breaks += 1;
  }

  /** @param {number} count at least so many line feeds */
  breakTo(count) {
    this.#breaks = Math.max(this.#breaks, count);
  }

  /** A line feed right behind the beginning of preformatted text is none. */
  skipNewline() {
    this.#skipsNewline = true;
  }

  /** @param {string} text @param {boolean} preformatted */
  add(text, preformatted) {
    const skipsNewline = this.#skipsNewline;
    this.#skipsNewline = false;
    if (preformatted) this.#addAsWritten(skipsNewline ? text.replace(/^\r?\n/, '') : text);
    else this.#addFlowing(text.replace(SPACES, ' '));
  }

  #addFlowing(text) {
    if (text === '' || (text === ' ' && (this.#breaks > 0 || this.#endsWithSpace))) return;
    this.#endLines();
    this.#pieces.push(this.#endsWithSpace && text[0] === ' ' ? text.slice(1) : text);
    this.#endsWithSpace = text.endsWith(' ');
  }

  #addAsWritten(text) {
    for (const [index, line] of text.split(/\r?\n|\r/).entries()) {
      if (index > 0) this.#breaks += 1;
      if (line === '') continue;
      this.#endLines();
      this.#pieces.push(line.replaceAll('\u00a0', ' '));
      this.#endsWithSpace = false;
    }
  }

  #endLines() {
    if (this.#breaks === 0) return;
    this.#endLine();
    if (this.#breaks > 1) this.#lines.push('');
    this.#breaks = 0;
  }

  #endLine() {
    this.#lines.push(seen(this.#pieces.join('')).trimEnd());
    this.#pieces = [];
    this.#endsWithSpace = true;
  }

  text() {
    this.#endLine();
    return this.#lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .replace(/^\n+|\s+$/g, '');
  }
}

/** Without what nobody sees. @param {string} text */
function seen(text) {
  const plain = text.replace(UNSEEN, '').replace(LOOSE_JOINER, '');
  return plain === text ? text : plain.replace(/^ +/, '').replace(/ {2,}/g, ' ');
}

/** Whether there is anything to be read in a text. @param {string | undefined} text */
const isReadable = (text) => text !== undefined && seen(text).replace(SPACES, '') !== '';

module.exports = { isReadable, seen, TextLines };
