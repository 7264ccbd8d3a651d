'use strict';

const { Tokenizer } = require('htmlparser2');
const { TextLines } = require('./text-lines.cjs');

/** What is in them is not for reading. */
const HIDDEN = new Set(['script', 'style', 'template', 'title']);
/** They begin and end a line. */
const LINES = new Set(
  (
    'address article aside body caption center dd details dialog div dl dt fieldset figcaption figure footer form h7 header ' +
    'hgroup hr html legend li main menu nav option search section summary tbody tfoot thead tr'
  ).split(' '),
);
/** They have a blank line on both sides. */
const PARAGRAPHS = new Set('blockquote h1 h2 h3 h4 h5 h6 listing ol p plaintext pre table ul xmp'.split(' '));
const CELLS = new Set(['td', 'th']);
/** White space in them is as it stands. */
const PREFORMATTED = new Set(['listing', 'plaintext', 'pre', 'textarea', 'xmp']);
const VOID = new Set(
  'area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr'.split(
    ' ',
  ),
);
/** Their end tag may be missing: a brother, or the end of what they are in, is their end. */
const BROTHERS = new Map(
  Object.entries({
    dd: ['dd', 'dt'],
    dt: ['dd', 'dt'],
    li: ['li'],
    option: ['option'],
    p: ['p', ...LINES, ...PARAGRAPHS],
    td: ['td', 'th', 'tr'],
    th: ['td', 'th', 'tr'],
    tr: ['tr'],
  }).map(([name, brothers]) => [name, new Set(brothers)]),
);
const INLINE = new Set(
  (
    'a abbr acronym applet audio b bdi bdo big blink button canvas cite code colgroup data datalist del dfn dir em figure font ' +
    'frameset g head i iframe image ins kbd label map mark marquee math meter multicol nobr noembed noframes noscript object ' +
    'optgroup output path picture progress q rb rbc rp rt rtc ruby s samp select slot small spacer span strike strong sub sup ' +
    'svg text time tspan tt u var video'
  ).split(' '),
);
/** `o:p`, `v:shape`: Office has elements of its own. */
const NAMESPACED = /^[a-z]\w{0,5}:[a-z]/;
const NOT_SHOWN =
  /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden)|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)/i;
const AS_WRITTEN = /white-space\s*:\s*(?:pre|break-spaces)\b/i;
/** Lists in lists beyond this depth are not counted. */
const MAX_LISTS = 100;

/** A character of two halves that a program wrote as two entities. */
const HIGH =
  'x(?<high>d[89ab][\\da-f]{2})|(?<highDecimal>55(?:29[6-9]|[3-9]\\d\\d)|56(?:[0-2]\\d\\d|3[01]\\d))';
const LOW =
  'x(?<low>d[c-f][\\da-f]{2})|(?<lowDecimal>56(?:3[2-9]\\d|[4-9]\\d\\d)|57(?:[0-2]\\d\\d|3[0-3]\\d|34[0-3]))';
const HALVES = new RegExp(`&#(?:${HIGH});&#(?:${LOW});`, 'gi');

/**
 * The text of an HTML mail: no markup, no layout, no addresses of links, nothing that is not shown. Where that leaves
 * nothing, what is hidden and what stands for images is the text.
 *
 * @param {string} html
 */
function htmlToText(html) {
  const whole = html.replace(HALVES, joined);
  return render(whole, false) || render(whole, true);
}

function joined(...found) {
  const { high, highDecimal, low, lowDecimal } = found.at(-1);
  const unit = (hex, decimal) => (hex ? Number.parseInt(hex, 16) : Number(decimal));
  return String.fromCharCode(unit(high, highDecimal), unit(low, lowDecimal));
}

function render(html, everything) {
  const lines = new TextLines();
  let rest = html;
  for (let tries = 0; rest !== ''; tries += 1) rest = new Reader(rest, lines, everything).read(tries === 0);
  return lines.text();
}

/** Reads the pieces that htmlparser2 tells apart, from end to end, and keeps no tree of them. */
class Reader {
  #html;
  #lines;
  #everything;
  /** @type {{ name: string, start: number, hasValue: boolean, style: string, hidden: boolean, alt: string } | null} */
  #tag = null;
  #attribute = '';
  #value = '';
  /** The element under way that is not shown, and how many elements are open in it. */
  /** @type {{ name: string, inner: number, same: number } | null} */
  #hidden = null;
  #preformatted = 0;
  #preformattedBy = '';
  #lists = [];

  constructor(html, lines, everything) {
    this.#html = html;
    this.#lines = lines;
    this.#everything = everything;
  }

  /**
   * @param {boolean} again whether what a tag that never ends has swallowed is to be read anew
   * @returns {string} what is still to be read
   */
  read(again) {
    const tokenizer = new Tokenizer({ decodeEntities: true }, this);
    tokenizer.write(this.#html);
    tokenizer.end();
    return this.#tag ? this.#swallowed(this.#tag, again) : '';
  }

  /** A quote that does not close makes a tag of all that follows: quotes are left out of the tags then. */
  #swallowed({ name, start }, again) {
    const end = this.#html.indexOf('>', start);
    if (end !== -1 && again)
      return this.#html.slice(start).replace(/<[^<>]*>/g, (tag) => tag.replace(/["']/g, ''));
    if (!isElement(name)) this.#text(this.#html.slice(start));
    return '';
  }

  ontext(start, end) {
    this.#text(this.#html.slice(start, end));
  }

  ontextentity(code) {
    this.#text(String.fromCodePoint(code));
  }

  onopentagname(start, end) {
    const name = this.#html.slice(start, end).toLowerCase();
    this.#tag = { name, start: start - 1, hasValue: false, style: '', hidden: false, alt: '' };
  }

  onattribname(start, end) {
    this.#attribute = this.#html.slice(start, end).toLowerCase();
    this.#value = '';
  }

  onattribdata(start, end) {
    if (this.#attribute === 'style' || this.#attribute === 'alt') this.#value += this.#html.slice(start, end);
  }

  onattribentity(code) {
    if (this.#attribute === 'alt') this.#value += String.fromCodePoint(code);
  }

  onattribend(quote) {
    const tag = this.#tag;
    if (!tag) return;
    tag.hasValue ||= quote !== 0;
    if (this.#attribute === 'hidden') tag.hidden = true;
    if (this.#attribute === 'style') tag.style = this.#value;
    if (this.#attribute === 'alt') tag.alt = this.#value;
  }

  onopentagend(end) {
    const tag = this.#tag;
    this.#tag = null;
    if (!tag) return;
    if (isText(tag)) this.#text(this.#html.slice(tag.start, end + 1));
    else this.#open(tag);
  }

  onselfclosingtag(end) {
    const name = this.#tag?.name;
    this.onopentagend(end);
    // Only elements of other languages end so.
    if (name && NAMESPACED.test(name)) this.#close(name);
  }

  onclosetag(start, end) {
    this.#close(this.#html.slice(start, end).toLowerCase());
  }

  oncomment() {}
  ondeclaration() {}
  onprocessinginstruction() {}
  oncdata() {}
  onend() {}

  #text(text) {
    if (!this.#hidden) this.#lines.add(text, this.#preformatted > 0);
  }

  #open({ name, style, hidden, alt }) {
    if (this.#hidden && !this.#endsHidden(name)) {
      if (!VOID.has(name)) this.#hidden.inner += 1;
      if (name === this.#hidden.name) this.#hidden.same += 1;
      return;
    }
    const isHidden = HIDDEN.has(name) || (!this.#everything && (hidden || NOT_SHOWN.test(style)));
    if (isHidden && !VOID.has(name)) this.#hidden = { name, inner: 0, same: 0 };
    else this.#begin(name, style, alt);
  }

  /** Whether an element that is not shown has ended before a tag, though nothing said so. */
  #endsHidden(name) {
    if (!this.#hidden || this.#hidden.inner > 0 || !BROTHERS.get(this.#hidden.name)?.has(name)) return false;
    this.#hidden = null;
    return true;
  }

  #begin(name, style, alt) {
    if (name === 'br') this.#lines.break();
    this.#breakFor(name);
    if (name === 'li') this.#lines.add(this.#marker(), false);
    if (name === 'ol' || name === 'ul') this.#lists.push(name === 'ol' ? 1 : 0);
    if (this.#lists.length > MAX_LISTS) this.#lists.pop();
    if (name === 'img' && this.#everything && alt) this.#lines.add(` ${alt} `, false);
    if (PREFORMATTED.has(name) || AS_WRITTEN.test(style)) this.#beginPreformatted(name);
    else if (name === this.#preformattedBy) this.#preformatted += 1;
  }

  #beginPreformatted(name) {
    if (this.#preformatted > 0 && name !== this.#preformattedBy) return;
    this.#preformatted += 1;
    this.#preformattedBy = name;
    this.#lines.skipNewline();
  }

  #marker() {
    const number = this.#lists.at(-1) ?? 0;
    if (number > 0) this.#lists[this.#lists.length - 1] = number + 1;
    return number > 0 ? `${number}. ` : '* ';
  }

  #close(name) {
    if (this.#hidden) {
      this.#closeInHidden(name, this.#hidden);
      if (this.#hidden) return;
      if (BROTHERS.has(name) === false) return;
    }
    if (name === 'br') this.#lines.break();
    if (name === 'ol' || name === 'ul') this.#lists.pop();
    if (name === this.#preformattedBy && this.#preformatted > 0) this.#preformatted -= 1;
    this.#breakFor(name);
  }

  /** @param {string} name @param {{ name: string, inner: number, same: number }} hidden */
  #closeInHidden(name, hidden) {
    const isOwn = name === hidden.name && hidden.same === 0;
    const ofOuter = hidden.inner === 0 && name !== hidden.name && BROTHERS.has(hidden.name);
    if (isOwn || ofOuter) this.#hidden = null;
    else if (name === hidden.name) hidden.same -= 1;
    if (!VOID.has(name)) hidden.inner = Math.max(0, hidden.inner - 1);
  }

  #breakFor(name) {
    if (PARAGRAPHS.has(name)) this.#lines.breakTo(2);
    else if (LINES.has(name)) this.#lines.breakTo(1);
    else if (CELLS.has(name)) this.#lines.add(' ', false);
  }
}

const isElement = (name) =>
  HIDDEN.has(name) ||
  LINES.has(name) ||
  PARAGRAPHS.has(name) ||
  CELLS.has(name) ||
  VOID.has(name) ||
  INLINE.has(name) ||
  PREFORMATTED.has(name) ||
  NAMESPACED.test(name) ||
  /^[a-z]\w*(?:-\w+)+$/.test(name);

/** `<ann@example.com>`, `<https://example.com/a>` and `<your name here>` that somebody forgot to escape. */
function isText({ name, hasValue }) {
  if (/[@+]|^(?:https?|ftp|mailto|tel|file):/.test(name)) return true;
  return !hasValue && !isElement(name);
}

module.exports = { htmlToText };
