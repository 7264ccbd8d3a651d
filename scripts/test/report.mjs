// What `npm test` says at its end: what took how long, what was skipped and why, the problems, and the counts.
import { sum } from './counts.mjs';

/**
 * @typedef {object} Outcome
 * @property {{ name: string, seconds: number, passed?: number, failed?: number, skipped?: number, problem?: string }[]}
 *   rows steps with their counts, and other work without
 * @property {{ suite: string, advice: string[] }[]} skips the suites that this machine lacks something for
 * @property {number} missing steps that should have run and did not
 * @property {boolean} isCi there, what is skipped has failed
 */

/** @param {Outcome} outcome @returns {{ lines: string[], isSuccess: boolean }} */
export function report({ rows, skips, missing, isCi }) {
  const total = sum(rows.filter((row) => row.passed !== undefined));
  const failed = total.failed + missing + (isCi ? total.skipped : 0);
  const skipped = isCi ? 0 : total.skipped;
  const lines = [
    '    seconds   passed   failed  skipped',
    ...rows.map(({ name, seconds, passed, failed, skipped }) => {
      const columns = [seconds.toFixed(1).padStart(11), ...[passed, failed, skipped].map(column)];
      return `${columns.join('')}   ${name}`;
    }),
    ...skips.map(({ suite, advice }) => `skipped: ${suite}. ${advice.join(' ')}`),
    ...(isCi && total.skipped > 0 ? [`${total.skipped} skipped, which in CI counts as failed`] : []),
    ...rows.filter(({ problem }) => problem).map(({ name, problem }) => `${name}: ${problem}`),
    ...(missing > 0 ? [`${missing} step(s) did not run`] : []),
    `${total.passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  ];
  return { lines, isSuccess: failed === 0 && total.passed > 0 };
}

const column = (value = '') => String(value).padStart(9);

/** As CI systems tell their jobs. */
export function isCi({ CI } = process.env) {
  return Boolean(CI) && CI !== 'false' && CI !== '0';
}
