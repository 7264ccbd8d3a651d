// Reads the runners' own counts. A runner that wrote no report ran nothing.
import { existsSync, readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const NOTHING = { passed: 0, failed: 0, skipped: 0 };

/** cargo test: one line per test binary. Its ignored tests are programs that other tests run. */
export function cargoCounts(output) {
  const lines = output.matchAll(/^test result: .*?(\d+) passed; (\d+) failed;/gm);
  const counts = [...lines].map(([, passed, failed]) => ({ passed: Number(passed), failed: Number(failed) }));
  return sum(counts.map((count) => ({ ...NOTHING, ...count })));
}

/** What is not run, in the words of both. In a suite that is skipped as a whole vitest leaves its tests pending. */
const NOT_RUN = ['disabled', 'pending', 'skipped', 'todo'];

/** The JSON report of jest, which vitest writes too. A suite may fail without a test of its own, where it is loaded or set up. */
export function jestCounts(file) {
  if (!existsSync(file)) return NOTHING;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const broken = report.testResults.filter(
    (suite) => suite.status === 'failed' && !suite.assertionResults.some(({ status }) => status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: tests.filter(({ status }) => NOT_RUN.includes(status)).length,
  };
}

/**
 * The TAP report of `node --test`. A file without tests passes there as one test of the file's name: here it fails. A
 * suite that is skipped counts as one, as its tests are never named.
 */
export function tapCounts(file) {
  if (!existsSync(file)) return NOTHING;
  const report = readFileSync(file, 'utf8');
  const number = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(report)?.[1] ?? 0);
  const empty = [...report.matchAll(/^ok \d+ - \S+\.test\.[cm]?js$/gm)].length;
  return {
    passed: number('pass') - empty,
    failed: number('fail') + number('cancelled') + empty,
    skipped: [...report.matchAll(/^ *ok \d+ - .* # (SKIP|TODO)\b/gm)].length,
  };
}

/** tsc: each type test is a file; those named in an error failed. */
export function typeCounts(output, files) {
  const failed = new Set([...output.matchAll(/^(\S.*)\(\d+,\d+\): error TS/gm)].map(([, file]) => file));
  const failedTests = files.filter((file) => failed.has(file)).length;
  return { passed: files.length - failedTests, failed: failed.size, skipped: 0 };
}

export function sum(counts) {
  const add = (a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  });
  return counts.reduce(add, NOTHING);
}
