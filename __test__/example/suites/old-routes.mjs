// Routes written for the TypeScript layer: `lib/persistence` and `lib/persistence/sync` are re-exports, nothing else
// changed. That they compile under `strict` is part of the build.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { MEMORIES, removeFromGraph } from '../memories.mjs';
import { assertTime } from '../routes.mjs';

const MODULES = [
  'memory/index',
  'memory/enhanced',
  'persistence/index',
  'persistence/sync',
  'persistence/types',
];

export function oldRoutes(app, running) {
  describe('routes written for the TypeScript layer', { concurrency: false }, () => {
    const post = (request) => running.server.ask('POST', '/api/old/sync', JSON.stringify(request));

    test('were compiled with strict checks, on modules of one line', () => {
      assert.equal(JSON.parse(readFileSync(app.path('tsconfig.json'), 'utf8')).compilerOptions.strict, true);
      for (const name of MODULES) {
        const from = name.replace('/index', '');
        assert.equal(
          readFileSync(app.path(`lib/${name}.ts`), 'utf8'),
          `export * from 'izzie-memory/${from}';\n`,
        );
      }
    });

    test('find what is missing and repair it', async () => {
      await removeFromGraph(app, [running.ids[0]]);
      assert.deepEqual((await post({})).body, { operation: 'check', found: 1, repaired: 0 });
      const dry = (await post({ operation: 'repair', dryRun: true })).body;
      assert.deepEqual(dry, { operation: 'repair', found: 1, repaired: 0 });
      assert.deepEqual((await post({ operation: 'repair' })).body, {
        operation: 'repair',
        found: 1,
        repaired: 1,
      });
      assert.deepEqual((await post({ operation: 'full' })).body, {
        operation: 'full',
        found: 0,
        repaired: 0,
      });
      const rebuilt = (await post({ operation: 'rebuild', userId: 'bob' })).body;
      assert.deepEqual(rebuilt, { operation: 'rebuild', found: 0, repaired: 2 });
    });

    test('tell the health, and refuse bad input', async () => {
      const { status, stores, metrics, sync } = (await running.server.ask('GET', '/api/old/status')).body;
      assertTime(sync.lastSync);
      const counts = {
        vectorStoreCount: MEMORIES.length,
        graphStoreCount: MEMORIES.length,
        syncPercentage: 100,
      };
      assert.deepEqual(metrics, { totalMemories: MEMORIES.length, ...counts });
      assert.deepEqual(sync, { ...counts, lastSync: sync.lastSync });
      assert.deepEqual(
        [status, stores.vectorStore.healthy, stores.graphStore.healthy],
        ['healthy', true, true],
      );
      assert.equal((await post({ limit: 0 })).status, 400);
    });

    test('an empty user is none that was given', async () => {
      const { status, body } = await post({ operation: 'full', userId: '' });
      assert.deepEqual([status, body], [200, { operation: 'full', found: 0, repaired: 0 }]);
    });

    test('of the older service work too, and see the same memories', async () => {
      const memory = (name, request) =>
        running.server.ask('POST', `/api/old/memory/${name}`, JSON.stringify(request));
      const walk = (await running.server.ask('GET', '/api/old/memory/test')).body;
      assert.deepEqual(walk, { found: 1, all: 1, total: 1, gone: null });
      const query = { userId: 'ada', query: 'Grace Hopper' };
      const { memories, count } = (await memory('retrieve', { ...query, limit: 5 })).body;
      assert.ok(count > 0 && memories.every(({ userId }) => userId === 'ada'));
      const { entities, combined, counts } = (await memory('search', query)).body;
      assert.ok(entities.includes('Grace Hopper'), entities.join());
      assert.equal(counts[2], combined.length);
      const refused = await memory('store', { userId: 'ada', content: 'c', importance: 0 });
      assert.deepEqual([refused.status, refused.body.error], [500, 'INVALID_ARGUMENT']);
      assert.equal(refused.body.details.field, 'importance');
    });
  });
}
