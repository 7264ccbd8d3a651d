'use strict';

const { decode } = require('html-entities');

/** What is in them is not for reading. */
const HIDDEN = new Set(['head', 'noscript', 'script', 'style', 'template', 'title']);
/** They begin and end a line. */
const LINES = new Set(
  'address article aside center dd div dl dt figure footer form header hr li main nav pre section tr'.split(
    ' ',
  ),
);
/** They have a blank line on both sides. */
const PARAGRAPHS = new Set(['blockquote', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ol', 'p', 'table', 'ul']);
const CELLS = new Set(['td', 'th']);

const TAG_START = /<\/?[a-z]/iy;
/** A tag whose quoted values may have a `>`, and one whose quotes do not close. */
const TAG = /<(\/?)([a-z][^\s/>]*)(?=[\s/>])(?:"[^"]*"|'[^']*'|[^'">])*>/iy;
const CARELESS_TAG = /<(\/?)([a-z][^\s/>]*)(?=[\s/>])[^>]*>/iy;

/**
 * The text of an HTML mail: no markup, no layout, no addresses of links. Reads the mail once from end to end, whatever is
 * in it; a converter that builds a document and follows style sheets would be the greater part of this package.
 *
 * @param {string} html
 */
function htmlToText(html) {
  const lines = new Lines();
  for (const { text, name, closes } of piecesOf(html)) {
    if (name === undefined) lines.add(decode(text.replace(/\s+/g, ' ')).replaceAll('\u00a0', ' '));
    else if (name === 'br') lines.break();
    else if (PARAGRAPHS.has(name)) lines.breakTo(2);
    else if (LINES.has(name)) lines.breakTo(1);
    else if (CELLS.has(name)) lines.add(' ');
    if (name === 'li' && !closes) lines.add('* ');
  }
  return lines.text();
}

/** Lines as they come together: elements that end at one place break the line there once. */
class Lines {
  #pieces = [];
  #breaks = 0;

  break() {
    this.#breaks += 1;
  }

  /** @param {number} count at least so many line feeds */
  breakTo(count) {
    this.#breaks = Math.max(this.#breaks, count);
  }

  add(text) {
    if (this.#breaks > 0 && text.trim() === '') return;
    this.#pieces.push('\n'.repeat(Math.min(this.#breaks, 2)), text);
    this.#breaks = 0;
  }

  text() {
    const lines = this.#pieces.join('').split('\n');
    return lines
      .map((line) => line.trim().replace(/ {2,}/g, ' '))
      .join('\n')
      .trim();
  }
}

/** @typedef {{ text?: undefined, length: number, name: string, closes: boolean }} Tag */

/** @returns {Generator<{ text: string, name?: undefined, closes?: undefined } | Tag>} texts and tags */
function* piecesOf(html) {
  const tagAt = tagReader(html);
  let at = 0;
  for (let open = html.indexOf('<'); open !== -1; open = html.indexOf('<', at)) {
    if (open > at) yield { text: html.slice(at, open) };
    if (html.startsWith('<!', open) || html.startsWith('<?', open)) {
      at = behind(html, html.startsWith('<!--', open) ? '-->' : '>', open);
    } else if (match(TAG_START, html, open)) {
      const tag = tagAt(open);
      if (!tag) return; // it never ends
      at = open + tag.length;
      if (HIDDEN.has(tag.name) && !tag.closes) at = behindElement(html, tag.name, at);
      else yield tag;
    } else {
      yield { text: '<' };
      at = open + 1;
    }
  }
  if (at < html.length) yield { text: html.slice(at) };
}

/** Once a quote stays open until the end, quotes are no longer looked at: each tag would be read until there. */
function tagReader(html) {
  let pattern = TAG;
  return (open) => {
    let found = match(pattern, html, open);
    if (!found && pattern === TAG) {
      pattern = CARELESS_TAG;
      found = match(pattern, html, open);
    }
    return found && { length: found[0].length, name: found[2].toLowerCase(), closes: found[1] !== '' };
  };
}

function match(pattern, html, from) {
  pattern.lastIndex = from;
  return pattern.exec(html);
}

function behind(html, end, from) {
  const found = html.indexOf(end, from);
  return found === -1 ? html.length : found + end.length;
}

/** Where its end tag ends; one that never comes hides the rest. */
function behindElement(html, name, from) {
  const end = match(new RegExp(`</${name}\\b`, 'gi'), html, from);
  return end ? behind(html, '>', end.index) : html.length;
}

module.exports = { htmlToText };
