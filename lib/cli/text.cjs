'use strict';

/**
 * Rows of text with their columns in line; the last column is left ragged.
 *
 * @param {(string | number)[][]} rows
 * @returns {string}
 */
function table(rows) {
  const texts = rows.map((row) => row.map(String));
  const columns = Math.max(0, ...texts.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...texts.map((row) => (row[column] ?? '').length)),
  );
  const line = (row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  return texts.map(line).join('\n');
}

/** @param {number} count @param {string} one @param {string} [many] */
function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

const MEMORIES = /** @type {const} */ (['memory', 'memories']);
const memories = (count) => plural(count, ...MEMORIES);

/** Milliseconds for people. */
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

module.exports = { table, plural, memories, seconds };
