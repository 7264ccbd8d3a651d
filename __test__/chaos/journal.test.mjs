// The journal outlives its process at any moment.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Journal, readCalls } from '../../chaos/journal.mjs';

test('a line that a kill cut off is no record, and does not swallow the next one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'izzie-journal-'));
  const path = join(folder, 'process.jsonl');
  try {
    const first = new Journal(path, '0.0');
    const done = first.begin({ kind: 'store', targets: [{ id: 'a', userId: 'u', does: 'put' }] });
    first.end(done, { outcomes: [{ applied: 'yes', revision: 1 }] });
    first.begin({ kind: 'delete', targets: [{ id: 'a', userId: 'u', does: 'hide' }] });
    first.close();
    appendFileSync(path, '{"end":"0.0-1","at":12,"outcomes":[{"appl');

    const second = new Journal(path, '0.1');
    second.begin({ kind: 'restore', targets: [{ id: 'a', userId: 'u', does: 'revive' }] });
    second.close();

    const calls = readCalls(path);
    assert.deepEqual(
      calls.map(({ begin, end }) => [begin.kind, end?.outcomes[0].applied]),
      [
        ['store', 'yes'],
        ['delete', undefined],
        ['restore', undefined],
      ],
    );
    assert.ok(calls[0].end.at >= calls[0].begin.at);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
