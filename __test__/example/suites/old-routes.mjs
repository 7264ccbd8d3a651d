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
      const { lastSync, ...health } = (await running.server.ask('GET', '/api/old/status')).body;
      assertTime(lastSync);
      const counts = { totalMemories: MEMORIES.length, syncPercentage: 100 };
      assert.deepEqual(health, { status: 'healthy', vectorStore: true, graphStore: true, ...counts });
      assert.equal((await post({ limit: 0 })).status, 400);
    });
  });
}
