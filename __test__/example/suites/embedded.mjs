// A server on the embedded database, walked from its first request to its end.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { MEMORIES, seed } from '../memories.mjs';
import { assertMembers, assertTime, STATUS, SYNC } from '../routes.mjs';
import { Server } from '../server.mjs';
import { access } from './access.mjs';
import { documentedAnswers } from './answers.mjs';
import { oldRoutes } from './old-routes.mjs';
import { refusals } from './refusals.mjs';
import { repairs } from './repairs.mjs';
import { streams } from './stream.mjs';

const IN_STEP = {
  vectorStoreCount: MEMORIES.length,
  graphStoreCount: MEMORIES.length,
  syncPercentage: 100,
};
/** `lastSync` is missing as long as nothing was synchronised. */
const NOTHING_OWED = { pending: 0, waiting: 0, dead: 0 };
const STATISTICS = {
  ...IN_STEP,
  pending: 0,
  dead: 0,
  conflicts: 0,
  embedding: NOTHING_OWED,
  extraction: NOTHING_OWED,
};

export function onEmbeddedDatabase(app) {
  describe('on the embedded database', { concurrency: false }, () => {
    /** What the tests share: `server`, and `ids` of the memories. */
    const running = {};

    before(async () => {
      running.server = await Server.start(app, { IZZIE_MEMORY_DIR: app.store });
    });

    after(() => running.server?.stop());

    test('opens the database with the first request and shares it with other programs', async () => {
      const total = async () => (await running.server.ask('GET', STATUS)).body.metrics.totalMemories;
      assert.ok(!existsSync(app.store));
      assert.equal(await total(), 0);
      running.ids = await seed(app);
      assert.equal(await total(), MEMORIES.length);
    });

    answers(running);
    refusals(running);
    access(running);
    repairs(app, running);
    // Before memories are deleted, whose absence a rebuild brings to the graph too.
    streams(running);
    oldRoutes(app, running);
    documentedAnswers(running);

    test('says where the data is, once, and complains of nothing', () => {
      const { output } = running.server;
      assert.equal(output.split('izzie-memory: using the embedded database in ').length, 2);
      assert.doesNotMatch(output, /error/i);
    });

    test('stops when it is told to, and leaves no process behind', async () => {
      assert.ok(await running.server.stop());
      assert.deepEqual(await app.processes(), []);
    });
  });
}

function answers(running) {
  test('GET status: health, sync statistics and the time', async () => {
    const { status, body } = await running.server.ask('GET', STATUS);
    assert.equal(status, 200);
    assertMembers(body, 'status', 'stores', 'metrics', 'reasons', 'sync', 'timestamp');
    assert.equal(body.status, 'healthy');
    assert.deepEqual(body.metrics, { totalMemories: MEMORIES.length, ...IN_STEP });
    assertMembers(body.stores, 'vectorStore', 'graphStore');
    for (const { lastCheck, ...store } of Object.values(body.stores)) {
      assert.deepEqual(store, { available: true, healthy: true });
      assertTime(lastCheck);
    }
    assert.deepEqual(body.sync, STATISTICS);
    assertTime(body.timestamp);
  });

  test('GET sync: sync statistics and the time', async () => {
    const { status, body } = await running.server.ask('GET', SYNC);
    assert.equal(status, 200);
    assertMembers(body, 'status', 'stats', 'timestamp');
    assert.equal(body.status, 'success');
    assert.deepEqual(body.stats, STATISTICS);
    assertTime(body.timestamp);
  });

  for (const [name, request] of [
    ['no body', undefined],
    ['an empty body', ''],
    ['an empty object', '{}'],
    ['an empty user', '{"userId":""}'],
    ['all defaults', '{"operation":"check","limit":100,"dryRun":false,"clearExisting":false}'],
  ]) {
    test(`POST sync with ${name}: a check`, async () => {
      const { status, body } = await running.server.ask('POST', SYNC, request);
      assert.equal(status, 200);
      const { result, timestamp, ...echo } = body;
      assert.deepEqual(echo, { status: 'success', operation: 'check', dryRun: false });
      assertTime(timestamp);
      const { duration, ...counts } = result;
      assert.ok(duration >= 0);
      const nothing = { inconsistencies: [], repaired: 0, failed: 0, conflicts: 0, pending: 0 };
      assert.deepEqual(counts, { totalChecked: MEMORIES.length, ...nothing });
    });
  }
}
