// izzie-memory/testing: layers that share nothing, and that are there at once.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PersistenceError } from 'izzie-memory';
import { createTestLayer } from 'izzie-memory/testing';

const READY_MS = 50;
/** On a machine so slow that a thirtieth of what the first takes is more: a second or two, elsewhere. */
const SHARE_OF_FIRST = 1 / 30;
const MOST_ROUNDS = 50;
const ada = (content) => ({ userId: 'ada', content });
const embedderOf = (dimensions) => ({
  model: `test-${dimensions}`,
  dimensions,
  embed: async (texts) => texts.map(() => Array.from({ length: dimensions }, (_, i) => i + 1)),
});

describe('layers for tests', { concurrency: false, timeout: 480_000 }, () => {
  let firstMs;

  test('know nothing of the environment', async () => {
    process.env.NEO4J_URI = 'bolt://127.0.0.1:1';
    process.env.NEO4J_PASSWORD = 'wrong';
    process.env.DATABASE_URL = 'postgres://127.0.0.1:1/nowhere';
    try {
      const started = performance.now();
      const layer = await createTestLayer();
      firstMs = performance.now() - started;
      const { metadata } = await layer.memory.store(ada('Lunch with Grace.'));
      assert.equal(metadata.graphWriteSuccess, true);
      await layer.close();
    } finally {
      for (const name of ['NEO4J_URI', 'NEO4J_PASSWORD', 'DATABASE_URL']) delete process.env[name];
    }
  });

  test('are there within 50 ms after the first, with their first write', async () => {
    const durations = [];
    const limit = Math.max(READY_MS, firstMs * SHARE_OF_FIRST);
    // The best of some: other programs may have this machine's time, and the spare is being made at first.
    while (durations.length < MOST_ROUNDS && !(Math.min(...durations) <= limit)) {
      const started = performance.now();
      const { memory, close } = await createTestLayer();
      await memory.store(ada('Lunch with Grace.'));
      durations.push(performance.now() - started);
      await close();
    }
    assert.ok(Math.min(...durations) <= limit, `${durations.map(Math.round).join(', ')} ms`);
  });

  test('never see each other, however many are open', async () => {
    const layers = await Promise.all([1, 2, 3].map(() => createTestLayer()));
    await Promise.all(
      layers.map(({ memory }, index) =>
        memory.storeMany([ada(`A note in ${index}.`), ada(`Another in ${index}.`)]),
      ),
    );
    for (const [index, layer] of layers.entries()) {
      const contents = (await layer.memory.getAll('ada')).map(({ content }) => content);
      assert.deepEqual(contents.sort(), [`A note in ${index}.`, `Another in ${index}.`]);
      const { metrics } = await layer.persistence.getHealth();
      assert.equal(metrics.totalMemories, 2);
    }
    await Promise.all(layers.map(({ close }) => close()));
  });

  test('leave nothing to the next one: no vector space, no debt, no entity', async () => {
    for (const dimensions of [2, 3, 4]) {
      const { memory, graph, sync, close } = await createTestLayer({ embedder: embedderOf(dimensions) });
      assert.deepEqual(await graph.getTopEntities('ada'), []);
      const { id } = await memory.store(ada('Lunch with Grace Hopper of Remington Rand.'));
      const [found] = await memory.retrieve('ada', 'lunch', { mode: 'vector' });
      assert.equal(found.id, id);
      await memory.delete(id);
      const { totalChecked, inconsistencies } = await sync.fullSync();
      assert.deepEqual([totalChecked, inconsistencies], [0, []]);
      await close();
    }
  });

  test('are closed once, and refuse calls afterwards', async () => {
    const layer = await createTestLayer();
    await Promise.all([layer.close(), layer.close()]);
    await assert.rejects(layer.memory.getAll('ada'), { reason: 'CLOSED' });
  });

  test('have no setting that would lead elsewhere', async () => {
    for (const config of [{ databaseUrl: 'postgres://127.0.0.1/x' }, { neo4j: {} }, { embedded: true }]) {
      await assert.rejects(createTestLayer(config), (error) => {
        assert.ok(error instanceof PersistenceError);
        assert.equal(error.reason, 'INVALID_ARGUMENT');
        return true;
      });
    }
  });
});
