'use strict';

/** "Last, First, Jr." has two commas; before them stand others. */
const MAX_COMMAS = 2;
/** `Friends: …;` */
const GROUP = /^\s*[^":<@(]*:/;

/**
 * What stands between the separators of a header with addresses. `lead`: the beginning of a group. `end`: what ends it.
 * `isName`: it has no address.
 * @typedef {{ lead: string, text: string, end: string, isName: boolean, isBracketed: boolean }} Bit
 */

/**
 * A header with addresses so that each name stands beside its address: `Smith, Bob <bob@x>`, which nobody quoted, is one
 * person, and what is in parentheses beside a name is a part of it.
 *
 * @param {string} value
 */
function withWholeNames(value) {
  /** @type {Bit[]} */
  const bits = [];
  for (const bit of bitsOf(closed(value).replace(/\s+/g, ' ')))
    bits.push(bit.isBracketed ? withNameBefore(bit, bits) : bit);
  return bits.map(({ lead, text, end }) => lead + text + end).join('');
}

/** Takes the names before a comma away from `before` where they are the beginning of this one. @param {Bit} bit @param {Bit[]} before */
function withNameBefore(bit, before) {
  const begins = (at) => bit.lead === '' && before[at]?.isName && before[at].end === ',';
  let count = 0;
  while (count < MAX_COMMAS && begins(before.length - 1 - count)) {
    count += 1;
    if (before[before.length - count].lead) break;
  }
  const angle = bit.text.lastIndexOf('<');
  const close = bit.text.indexOf('>', angle) + 1 || bit.text.length;
  const own = [bit.text.slice(0, angle), bit.text.slice(close)].map(plain).filter(Boolean).join(' ');
  if (count === 0 && (!own.includes('(') || /^\([^()]*\)$/.test(own))) return bit;
  const names = before.splice(before.length - count, count);
  const name = [...names.map(({ text }) => plain(text)), own].filter(Boolean).join(', ');
  return { ...bit, lead: names[0]?.lead ?? bit.lead, text: ` "${name}" ${bit.text.slice(angle, close)}` };
}

/** Without quotes, on its way into others. @param {string} text */
const plain = (text) =>
  text
    .replace(/\\(.)|"/gs, '$1')
    .replaceAll('\\', '')
    .replaceAll('"', "'")
    .trim();

/** @param {string} value @returns {Generator<Bit>} */
function* bitsOf(value) {
  let from = 0;
  let hasAddress = false;
  let angle = -1;
  let close = -1;
  const taken = (to, end) => {
    const taken = bit(value.slice(from, to), end, hasAddress, angle !== -1);
    [from, hasAddress, angle, close] = [to + end.length, false, -1, -1];
    return taken;
  };
  for (const { at, character } of marksOf(value)) {
    if (character === '@') hasAddress = true;
    else if (character === '>') close = at + 1;
    else if (character === '<') {
      // "Bob <bob@x> Ann <ann@x>": somebody forgot the comma.
      if (close !== -1 && value.slice(close, at).trim() !== '') yield { ...taken(close, ''), end: ',' };
      angle = at;
    } else yield taken(at, character);
  }
  yield taken(value.length, '');
}

function bit(whole, end, hasAddress, isBracketed) {
  const lead = GROUP.exec(whole)?.[0] ?? '';
  const text = whole.slice(lead.length);
  const isName = !hasAddress && !isBracketed && text.trim() !== '';
  return { lead, text, end, isName, isBracketed };
}

/** The separators and the marks of addresses that are neither quoted nor in a comment. @param {string} value */
function* marksOf(value) {
  let isQuoted = false;
  let depth = 0;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (character === '\\' && isQuoted) at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0 && ',;<>@'.includes(character)) yield { at, character };
  }
}

/** Quotes and parentheses that nobody closed would swallow the addresses behind them. @param {string} value */
function closed(value) {
  const { quote, depth } = openIn(value);
  if (quote !== -1) return closed(`${value.slice(0, quote)} ${value.slice(quote + 1)}`);
  return depth > 0 ? value.replaceAll('(', ' ') : value;
}

/** Where a quote begins that does not end, and how many comments do not. @param {string} value */
function openIn(value) {
  let quote = -1;
  let depth = 0;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (character === '\\' && quote !== -1) at += 1;
    else if (character === '"') quote = quote === -1 ? at : -1;
    else if (quote === -1 && character === '(') depth += 1;
    else if (quote === -1 && character === ')') depth = Math.max(0, depth - 1);
  }
  return { quote, depth };
}

module.exports = { withWholeNames };
