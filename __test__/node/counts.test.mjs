// `npm test` counts what the runners say: a count that is too kind would hide a failure.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cargoCounts, jestCounts, tapCounts, typeCounts } from '../../scripts/test/counts.mjs';

const NOTHING = { passed: 0, failed: 0, skipped: 0 };

const folder = mkdtempSync(join(tmpdir(), 'izzie-memory-counts-'));
after(() => rmSync(folder, { recursive: true }));

function file(text) {
  const path = join(folder, 'report');
  writeFileSync(path, text);
  return path;
}

test('cargo: sums over its test binaries', () => {
  const output = `running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
`;
  assert.deepEqual(cargoCounts(output), { passed: 13, failed: 2, skipped: 0 });
  assert.deepEqual(cargoCounts('error: could not compile'), NOTHING);
});

test('jest and vitest: a suite that cannot be loaded or set up is a failure', () => {
  const suite = (status, ...results) => ({
    status,
    assertionResults: results.map((result) => ({ status: result })),
  });
  const testResults = [
    suite('failed', 'failed', 'passed'),
    suite('failed'),
    suite('failed', 'skipped', 'skipped'),
    suite('passed', 'passed'),
  ];
  const report = { numPassedTests: 2, numFailedTests: 1, testResults };
  assert.deepEqual(jestCounts(file(JSON.stringify(report))), { passed: 2, failed: 3, skipped: 2 });
});

test('jest and vitest: what is not run is skipped, whatever they call it', () => {
  // As vitest reports a suite that is skipped as a whole.
  const testResults = [{ status: 'passed', assertionResults: [{ status: 'pending' }, { status: 'todo' }] }];
  const report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 1, testResults };
  assert.deepEqual(jestCounts(file(JSON.stringify(report))), { passed: 0, failed: 0, skipped: 2 });
});

test('node: a file without tests and a cancelled test are failures', () => {
  const report =
    'TAP version 13\nok 1 - adds\nok 2 - a/empty.test.mjs\n1..2\n# pass 2\n# fail 1\n# cancelled 1\n';
  assert.deepEqual(tapCounts(file(report)), { passed: 1, failed: 3, skipped: 0 });
});

test('node: a skipped suite counts, which Node leaves out, and a test that says no more than TODO', () => {
  const report = `TAP version 13
# Subtest: outer
    ok 1 - in a browser # SKIP needs Chromium
    ok 2 - speaks of # SKIPPING in its name
    # Subtest: inner
        ok 1 - on a machine of another kind # SKIP
ok 1 - outer
ok 2 - later # TODO
# pass 2
# skipped 1
# todo 1
`;
  assert.deepEqual(tapCounts(file(report)), { passed: 2, failed: 0, skipped: 3 });
});

test('a runner that wrote no report ran nothing', () => {
  const missing = join(folder, 'missing');
  for (const counts of [jestCounts, tapCounts]) assert.deepEqual(counts(missing), NOTHING);
});

test('tsc: each file is a test, and errors elsewhere count', () => {
  const output =
    't/a.mts(1,2): error TS2322: No.\nt/a.mts(9,2): error TS2322: No.\nindex.d.ts(3,1): error TS1: No.\n';
  assert.deepEqual(typeCounts(output, ['t/a.mts', 't/b.mts']), { passed: 1, failed: 2, skipped: 0 });
  assert.deepEqual(typeCounts('', ['t/a.mts', 't/b.mts']), { passed: 2, failed: 0, skipped: 0 });
});
