// How a suite learns that this machine lacks what it needs, and how the run learns that the suite was skipped for it.
//
//     describe.skipIf(lacks('pgbouncer', import.meta.url))('…', …)            // vitest
//     describe('…', { skip: lacks('chromium', import.meta.url) }, …)          // node:test
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../setup.mjs';

/** Names of prerequisites, by commas. Only `npm test` sets it: run by hand, a suite tries, and fails with what to install. */
const LACKING = 'IZZIE_MEMORY_TEST_LACKS';
/** The file that says which suites were skipped: a line of JSON each. */
const SKIPPED = 'IZZIE_MEMORY_TEST_SKIPPED';

/** The environment in which suites are run. */
export function lackingEnvironment(names, file) {
  return { [LACKING]: names.join(','), [SKIPPED]: file };
}

/**
 * Whether this run lacks a prerequisite; the suite is then told to be skipped for it.
 *
 * @param {string} name of a prerequisite
 * @param {string} suite the URL of its module
 */
export function lacks(name, suite) {
  const names = (process.env[LACKING] ?? '').split(',');
  if (!names.includes(name)) return false;
  appendFileSync(
    process.env[SKIPPED],
    `${JSON.stringify({ suite: relative(root, fileURLToPath(suite)), name })}\n`,
  );
  return true;
}

/** @returns {{ suite: string, name: string }[]} each once */
export function skippedSuites(file) {
  if (!existsSync(file)) return [];
  const lines = new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean));
  return [...lines].map((line) => JSON.parse(line));
}
