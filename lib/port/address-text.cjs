'use strict';

const { withWholeNames } = require('./address-bits.cjs');

/** Headers with more recipients are read in pieces, for the parser's time grows with the square of their number. */
const PIECE_LENGTH = 8192;

/** Archives of mailing lists write `ann at example.com (Ann Lee)`. */
function plainAddresses(value) {
  return value.includes('@')
    ? value
    : value.replace(/(?<![\w.+'=-])([\w.+'=-]{1,200}) at ([\w-]{1,200}(?:\.[\w-]{1,200}){1,20})/gi, '$1@$2');
}

/**
 * The same addresses as several headers of a moderate length, cut at commas that are not quoted.
 *
 * @param {string} value
 */
function inPieces(value) {
  if (value.length <= PIECE_LENGTH) return [value];
  const pieces = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] === '\\') at += 1;
    else if (value[at] === '"') isQuoted = !isQuoted;
    else if (value[at] === ',' && !isQuoted && at - from >= PIECE_LENGTH) {
      pieces.push(value.slice(from, at));
      from = at + 1;
    }
  }
  return [...pieces, value.slice(from)];
}

/**
 * A header with addresses as the parser understands it, in pieces.
 *
 * @param {string} value
 */
function addressPieces(value) {
  return inPieces(withWholeNames(plainAddresses(value)));
}

/** @param {import('postal-mime').Address[]} list @returns {string[]} */
function addressTexts(list) {
  return list.map(addressText).filter(Boolean);
}

/** @param {import('postal-mime').Address} given */
function addressText({ name, address, group }) {
  if (group) return `${name}: ${addressTexts(group).join(', ')};`;
  const quoted = `"${name.replaceAll('"', "'")}"`;
  if (address) return name ? `${quoted} <${address}>` : address;
  return /[,;:<>()@]/.test(name) ? quoted : name;
}

module.exports = { addressPieces, addressTexts };
