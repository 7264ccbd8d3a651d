'use strict';

const { decodeText } = require('./charsets.cjs');

/** A byte of no known character set, as a character of the private use area, on its way through a parser of UTF-8. */
const ESCAPE_BASE = 0xf700;
const ESCAPED = /[\uf780-\uf7ff]/;
const WORD = /=\?([\w.:+-]+(?:\*[\w-]*)?)\?([bq])\?(.*?)\?=/gi;

/**
 * A line of a header as UTF-8: bytes that are none are kept as they are, escaped.
 *
 * @param {Uint8Array} line
 */
function escapedBytes(line) {
  if (line.every((byte) => byte < 0x80)) return line;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(line);
    return line;
  } catch {
    const text = Buffer.from(line).toString('latin1');
    return Buffer.from(
      text.replace(/[\u0080-\u00ff]/g, (c) => String.fromCharCode(ESCAPE_BASE + c.charCodeAt(0))),
    );
  }
}

/**
 * The character set of the bytes in all headers of a mail: one name alone is too short to tell it by.
 *
 * @param {string[]} values
 * @param {string} [hint]
 */
function charsetOfHeaders(values, hint) {
  const raw = values.filter((value) => ESCAPED.test(value));
  return raw.length > 0 ? decodeText(unescaped(raw.join(' ')), undefined, hint).charset : hint;
}

/** The value of a header that came through, with its escaped bytes decoded. @param {string} value @param {string} [hint] */
function headerText(value, hint) {
  if (!ESCAPED.test(value) && !value.includes('\u001b$')) return value;
  return decodeText(unescaped(value), undefined, hint).text;
}

function unescaped(value) {
  const pieces = [...value].map((c) =>
    ESCAPED.test(c) ? Buffer.from([c.charCodeAt(0) - ESCAPE_BASE]) : Buffer.from(c),
  );
  return Buffer.concat(pieces);
}

/**
 * The encoded words of a header (RFC 2047) in UTF-8, whatever they were in. Words side by side are decoded together, for
 * some programs cut them within a character.
 *
 * @param {string} value
 */
function utf8Words(value) {
  return replaceWords(value, (text) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`);
}

/** The same as text. @param {string} value */
function decodedWords(value) {
  return replaceWords(value, (text) => text);
}

function replaceWords(value, replacement) {
  let result = '';
  let end = 0;
  for (const run of runsOf(value)) {
    const text = decodeText(Buffer.concat(run.pieces), run.charset).text.replace(/[\r\n]+/g, ' ');
    const between = value.slice(end, run.start);
    result += (end > 0 && between.trim() === '' ? '' : between) + replacement(text);
    end = run.end;
  }
  return result + value.slice(end);
}

/** Words of one character set with nothing between them. */
function runsOf(value) {
  const runs = [];
  for (const { 0: word, 1: named, 2: encoding, 3: text, index } of value.matchAll(WORD)) {
    const charset = named.replace(/\*.*$/, '').toLowerCase();
    const last = runs.at(-1);
    const joins = last?.charset === charset && value.slice(last.end, index).trim() === '';
    const run = joins ? last : { charset, start: index, end: 0, pieces: [] };
    if (!joins) runs.push(run);
    run.pieces.push(encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : quoted(text));
    run.end = index + word.length;
  }
  return runs;
}

function quoted(text) {
  const bytes = text
    .replaceAll('_', ' ')
    .replace(/=\s*([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  // What should have been encoded and was not is UTF-8 by now.
  return /[\u0100-\uffff]/.test(bytes) ? Buffer.from(bytes) : Buffer.from(bytes, 'latin1');
}

module.exports = { charsetOfHeaders, decodedWords, escapedBytes, headerText, utf8Words };
