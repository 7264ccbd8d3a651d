// Part of the graph is lost; the routes find it and bring it back.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { MEMORIES, removeFromGraph } from '../memories.mjs';
import { assertMembers, assertTime, STATUS, SYNC, sync, syncPercentage } from '../routes.mjs';

export function repairs(app, running) {
  describe('with a part of the graph removed', { concurrency: false }, () => {
    const ask = (request) => sync(running.server, request);
    const percentage = () => syncPercentage(running.server);
    let missing;

    before(async () => {
      const { ids } = running;
      missing = [ids[0], ids[2], ids[3]].sort();
      await removeFromGraph(app, missing);
    });

    test('check finds it', async () => {
      const { inconsistencies, repaired, totalChecked } = await ask({ operation: 'check' });
      assert.deepEqual(inconsistencies.map(({ memoryId }) => memoryId).sort(), missing);
      for (const found of inconsistencies) {
        assertMembers(found, 'memoryId', 'issue', 'conflict', 'fields', 'details', 'detectedAt');
        assert.equal(found.issue, 'missing_in_graph');
        assertTime(found.detectedAt);
      }
      assert.deepEqual([repaired, totalChecked], [0, MEMORIES.length]);
      assert.equal(await percentage(), 40);
    });

    test('check finds that of one user', async () => {
      const { inconsistencies, totalChecked } = await ask({ userId: 'bob' });
      const found = inconsistencies.map(({ memoryId }) => memoryId);
      assert.deepEqual([found, totalChecked], [[running.ids[3]], 2]);
    });

    test('check returns as many as are asked for and compares all', async () => {
      const { inconsistencies, totalChecked } = await ask({ limit: 2 });
      assert.deepEqual([inconsistencies.length, totalChecked], [2, MEMORIES.length]);
    });

    for (const operation of ['repair', 'full', 'rebuild']) {
      test(`a dry run of ${operation} finds it and writes nothing`, async () => {
        const { inconsistencies, repaired } = await ask({ operation, dryRun: true, clearExisting: true });
        assert.deepEqual([inconsistencies.length, repaired], [missing.length, 0]);
        assert.equal(await percentage(), 40);
      });
    }

    test('repair repairs as many as are asked for', async () => {
      const { repaired, failed } = await ask({ operation: 'repair', userId: 'ada', limit: 1 });
      assert.deepEqual([repaired, failed], [1, 0]);
      assert.equal(await percentage(), 60);
    });

    test('full repairs that of one user', async () => {
      const { repaired, failed } = await ask({ operation: 'full', userId: 'bob' });
      assert.deepEqual([repaired, failed], [1, 0]);
      assert.equal(await percentage(), 80);
    });

    test('repair repairs the rest', async () => {
      const { repaired, failed, pending } = await ask({ operation: 'repair' });
      assert.deepEqual([repaired, failed, pending], [1, 0, 0]);
      assert.equal(await percentage(), 100);
      assert.deepEqual((await ask({ operation: 'check' })).inconsistencies, []);
    });

    test('rebuild writes all of a user anew', async () => {
      await removeFromGraph(app, [running.ids[0], running.ids[3]]);
      const request = { operation: 'rebuild', userId: 'ada', clearExisting: true };
      const { repaired, failed, pending } = await ask(request);
      assert.deepEqual([repaired, failed, pending], [3, 0, 0]);
      assert.equal(await percentage(), 80);
    });

    test('rebuild writes as many as are asked for and tells the rest', async () => {
      const { repaired, pending } = await ask({ operation: 'rebuild', clearExisting: true, limit: 2 });
      assert.deepEqual([repaired, pending], [2, MEMORIES.length - 2]);
      assert.equal((await ask({ operation: 'rebuild' })).pending, 0);
      assert.equal(await percentage(), 100);
    });

    test('delta brings the graph what it is owed', async () => {
      const { totalChecked, inconsistencies, failed, pending } = await ask({ operation: 'delta' });
      assert.deepEqual([totalChecked, inconsistencies, failed, pending], [0, [], 0, 0]);
    });

    test('full over all users counts as the last sync', async () => {
      assert.equal((await ask({ operation: 'full' })).pending, 0);
      const status = (await running.server.ask('GET', STATUS)).body;
      const { stats } = (await running.server.ask('GET', SYNC)).body;
      assertTime(stats.lastSync);
      assert.deepEqual([status.lastSync, status.sync.lastSync], [stats.lastSync, stats.lastSync]);
    });
  });
}
