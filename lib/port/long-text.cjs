'use strict';

const { isReadable } = require('./text-lines.cjs');

/** Where a text is cut, the best first: between paragraphs, lines, sentences, words. */
const CUTS = ['\n\n', '\n', '. ', ' '].map((mark) => Buffer.from(mark));
/** The longest character of UTF-8: each piece has one at least. */
const MAX_CHARACTER = 4;

/**
 * A text in pieces of at most so many bytes. Nothing is lost but white space around the cuts.
 *
 * @param {string} text
 * @param {number} limit
 * @returns {string[]}
 */
function inPieces(text, limit) {
  if (Buffer.byteLength(text) <= limit) return [text];
  const bytes = Buffer.from(text);
  const size = Math.max(limit, MAX_CHARACTER);
  const pieces = [];
  for (let from = 0; from < bytes.length; ) {
    const to =
      bytes.length - from <= size ? bytes.length : from + cutIn(bytes.subarray(from, from + size + 1));
    pieces.push(bytes.toString('utf8', from, to).trim());
    from = to;
  }
  return pieces.filter(isReadable);
}

/** Where to cut, in the second half if there is a place for it. @param {Buffer} window with one byte beyond it */
function cutIn(window) {
  const size = window.length - 1;
  const half = size >> 1;
  const latter = window.subarray(half, size);
  for (const mark of CUTS) {
    const at = latter.lastIndexOf(mark);
    if (at !== -1) return half + at + mark.length;
  }
  let end = size;
  while ((window[end] & 0xc0) === 0x80) end -= 1;
  return end;
}

module.exports = { inPieces };
