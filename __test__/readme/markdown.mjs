// The README as the tests see it: its fenced blocks and its tables.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/**
 * Fenced blocks in order. `setting` comes from a comment on the line before the fence, `<!-- example: SETTING -->`.
 *
 * @returns {{ language: string, code: string, setting: string | undefined, line: number }[]}
 */
export function blocks(text = readme) {
  const fence = /(?:^<!-- example: (\w+) -->\n)?^```(\w*)\n(.*?)^```$/gms;
  return [...text.matchAll(fence)].map(({ index, 1: setting, 2: language, 3: code }) => ({
    language,
    code,
    setting,
    line: text.slice(0, index).split('\n').length,
  }));
}

/**
 * The rows of the first table below a heading, as lists of their cells without backticks.
 *
 * @param {string} heading its text
 */
export function table(heading, text = readme) {
  const [, below] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const lines = below
    ?.match(/(?:^\|.*\n)+/m)?.[0]
    .trim()
    .split('\n');
  if (!lines) throw new Error(`README.md has no table under "${heading}"`);
  return lines.slice(2).map(cells);
}

function cells(line) {
  const inner = line.trim().replace(/^\||\|$/g, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|').replaceAll('`', ''));
}
