// Progress, line by line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MEMORIES } from '../memories.mjs';
import { SYNC } from '../routes.mjs';
import { TOKEN } from '../server.mjs';

export function streams(running) {
  const lines = async (request) => {
    const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/x-ndjson' };
    const response = await running.server.fetch('POST', SYNC, JSON.stringify(request), headers);
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    const text = await response.text();
    return text.trim().split('\n').map(JSON.parse);
  };

  // What is told of a call that is over before JavaScript hears of it comes too late for the stream.
  const telling = [];
  for (const operation of ['check', 'repair', 'full', 'rebuild', 'delta']) {
    test(`POST sync tells how far ${operation} is, then its result`, async () => {
      const told = await lines({ operation });
      const last = told.pop();
      assert.deepEqual([last.type, last.operation, last.result.failed], ['result', operation, 0]);
      if (told.length > 0) telling.push(operation);
      for (const { type, done, total } of told) {
        assert.equal(type, 'progress');
        assert.ok(done <= total && total <= MEMORIES.length, `${done} of ${total}`);
      }
    });
  }

  test('POST sync tells of most of them while they run', () => assert.ok(telling.length >= 2, `${telling}`));
}
