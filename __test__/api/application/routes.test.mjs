// The application's status, sync and memory routes by contract, its modules replaced by one line each: both stores up,
// each of them down, and both.
import { beforeAll, describe, expect, test } from 'vitest';
import * as memory from './app/api/memory.ts';
import * as status from './app/api/persistence-status.ts';
import * as sync from './app/api/persistence-sync.ts';
import { PersistenceError, persistenceService, VectorStoreError } from './app/lib/persistence/index.ts';
import * as types from './app/lib/persistence/types.ts';
import { ask, settle, useApplication } from './support.mjs';

const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const STORE = {
  available: expect.any(Boolean),
  healthy: expect.any(Boolean),
  lastCheck: expect.stringMatching(ISO),
};

const AWAY = { code: expect.stringMatching(/^(UNAVAILABLE|TIMEOUT)$/), message: expect.stringMatching(/\S/) };
const UNKNOWN = { vectorStoreCount: null, graphStoreCount: null, syncPercentage: null };

const application = useApplication();

/** The members of the contract, and no error in their place. */
function expectStatus({ status: code, body }) {
  expect(code, JSON.stringify(body)).toBe(200);
  expect(Object.keys(body).sort()).toEqual(['metrics', 'status', 'stores', 'sync', 'timestamp']);
  expect(body.timestamp).toMatch(ISO);
  expect(body.stores).toMatchObject({ vectorStore: STORE, graphStore: STORE });
  for (const name of ['vectorStoreCount', 'graphStoreCount', 'syncPercentage'])
    expect(body.sync).toHaveProperty(name);
  return body;
}

function expectUnhealthy(body) {
  expect(body).toMatchObject({
    status: 'unhealthy',
    stores: { vectorStore: { available: false, healthy: false } },
    metrics: { totalMemories: null, ...UNKNOWN },
    sync: UNKNOWN,
  });
}

describe('with both stores', () => {
  let stored;

  beforeAll(async () => {
    const entry = {
      userId: 'ada',
      content: 'Sarah Chen leads the rollout in Lisbon',
      metadata: { from: 'form' },
    };
    const answer = await ask(memory.store, { ...entry, importance: 8, summary: 'rollout' });
    expect(answer.body).toMatchObject({ success: true, memory: { userId: 'ada', content: entry.content } });
    stored = answer.body.memory;
    await ask(memory.store, { userId: 'bob', content: 'Sarah Chen sent the invoice to Acme Corp' });
    await settle();
  });

  test('status tells counts of both', async () => {
    const body = expectStatus(await ask(status.GET));
    const counts = { vectorStoreCount: 2, graphStoreCount: 2, syncPercentage: 100 };
    expect(body).toMatchObject({ status: 'healthy', metrics: { totalMemories: 2, ...counts }, sync: counts });
    expect(body.sync.lastSync).toMatch(ISO);
  });

  test.each([
    ['check', {}],
    ['repair', { dryRun: true }],
    ['repair', {}],
    ['full', { limit: 50 }],
    ['full', { dryRun: true }],
    ['rebuild', {}],
    ['rebuild', { clearExisting: true }],
  ])('sync: %s %o, for all, for an empty user and for one', async (operation, options) => {
    for (const userId of [undefined, '', 'ada']) {
      const { status: code, body } = await ask(sync.POST, { operation, userId, ...options });
      expect(code, JSON.stringify(body)).toBe(200);
      expect(body).toMatchObject({ status: 'success', operation, inconsistencies: [] });
      if (operation === 'full') expect(body.result.totalChecked).toBe(userId === 'ada' ? 1 : 2);
      if (operation === 'rebuild')
        expect(body.result).toMatchObject({ repaired: userId === 'ada' ? 1 : 2, failed: 0 });
    }
  });

  test('sync finds what the graph lost, and repairs it', async () => {
    await application.database.graph.lose(stored.id);
    const { body: found } = await ask(sync.POST, { operation: 'check', userId: '' });
    expect(found.inconsistencies).toMatchObject([{ memoryId: stored.id, issue: 'missing_in_graph' }]);
    const { body: repaired } = await ask(sync.POST, { operation: 'repair', userId: '' });
    expect(repaired.result).toMatchObject({ repaired: 1, failed: 0 });
    expect((await ask(sync.GET)).body.stats).toMatchObject({ syncPercentage: 100, pending: 0 });
  });

  test('memory: retrieve and search', async () => {
    const query = { userId: 'ada', query: 'who leads the rollout?', limit: 10 };
    const { body: found } = await ask(memory.retrieve, { ...query, minImportance: 8, threshold: 0 });
    expect(found).toMatchObject({ success: true, count: 1, memories: [{ id: stored.id }] });
    const { body: none } = await ask(memory.retrieve, { ...query, minImportance: 9 });
    expect(none).toMatchObject({ success: true, count: 0 });
    const { body } = await ask(memory.search, { userId: 'ada', query: 'Sarah Chen', includeGraph: true });
    expect(body.success).toBe(true);
    expect(body.results.graphResults.map(({ name }) => name)).toEqual(['Sarah Chen']);
    expect(body.results.combined.map(({ id }) => id)).toEqual([stored.id]);
    expect(body.counts).toEqual({ vector: 1, graph: 1, combined: 1 });
  });

  test('memory: the walk of the whole service', async () => {
    const { body } = await ask(memory.test);
    const steps = { read: true, listed: true, found: true, counted: true, deleted: true };
    expect(body).toEqual({ success: true, steps });
    await settle();
  });

  test('what is wrong with a request is the caller’s error', async () => {
    expect((await ask(memory.store, { userId: 'ada' })).status).toBe(400);
    expect((await ask(sync.POST, { operation: 'destroy' })).status).toBe(400);
    expect((await ask(memory.store, { userId: 'ada', content: 'c', importance: 0 })).body).toMatchObject({
      error: 'Failed to store memory',
      message: expect.stringContaining('importance'),
    });
  });

  test('failures are of the classes that the application imports', async () => {
    const error = await persistenceService.store({ userId: 'ada', content: '' }).catch((caught) => caught);
    expect(error).toBeInstanceOf(PersistenceError);
    expect(error).toBeInstanceOf(types.PersistenceError);
    expect(error).not.toBeInstanceOf(VectorStoreError);
  });
});

describe('with Neo4j down', () => {
  // Of a server that takes connections and says nothing, only a limit of time tells that it is away.
  test.each(['blackhole', 'refuse'])(
    '%s: status is 200 and degraded; what the graph knows is not made up',
    async (fault) => {
      application.proxies.neo4j[fault]();
      const body = expectStatus(await ask(status.GET));
      expect(body).toMatchObject({
        status: 'degraded',
        stores: { vectorStore: { healthy: true }, graphStore: { available: false, healthy: false } },
        metrics: { totalMemories: 2, vectorStoreCount: 2, graphStoreCount: null, syncPercentage: null },
        sync: { vectorStoreCount: 2, graphStoreCount: null, syncPercentage: null },
      });
    },
  );

  test('memories are stored, found and counted as waiting', async () => {
    const { status: code } = await ask(memory.store, {
      userId: 'bob',
      content: 'Kept while the graph is away',
    });
    expect(code).toBe(200);
    const { body } = await ask(memory.search, {
      userId: 'bob',
      query: 'kept while away',
      includeGraph: true,
    });
    expect(body.results.combined[0].content).toBe('Kept while the graph is away');
    expect(body.counts.graph).toBe(0);
    expect((await ask(sync.GET)).body.stats).toMatchObject({
      pending: 1,
      unavailable: { graphStore: AWAY },
    });
    const result = await persistenceService.update({
      id: (await persistenceStored()).id,
      summary: 'changed',
    });
    expect(result).toMatchObject({ success: true, metadata: { graphWriteSuccess: false } });
    expect(result.error).toBeInstanceOf(types.GraphStoreError);
  });

  const persistenceStored = async () =>
    (await persistenceService.store({ userId: 'bob', content: 'Another one' })).data;

  test('sync says that it cannot', async () => {
    expect(await ask(sync.POST, { operation: 'check' })).toMatchObject({
      status: 500,
      body: { error: 'Failed to perform sync operation' },
    });
  });

  test('when it is back, all is brought to it', async () => {
    application.proxies.neo4j.pass();
    await settle();
    const body = expectStatus(await ask(status.GET));
    expect(body).toMatchObject({ status: 'healthy', sync: { vectorStoreCount: 4, graphStoreCount: 4 } });
  });
});

describe('with Postgres down', () => {
  test.each(['blackhole', 'refuse'])(
    '%s: status is 200 and unhealthy, and knows no number',
    async (fault) => {
      application.proxies.postgres[fault]();
      expectUnhealthy(expectStatus(await ask(status.GET)));
    },
  );

  test('the sync route counts nothing, and says which store is away', async () => {
    const { status: code, body } = await ask(sync.GET);
    expect(code).toBe(200);
    expect(body.stats).toMatchObject({
      ...UNKNOWN,
      pending: null,
      dead: null,
      unavailable: { vectorStore: AWAY },
    });
    expect((await ask(sync.POST, { operation: 'full' })).status).toBe(500);
  });

  test('a store that fails is caught as the documentation shows it, and the route says so', async () => {
    const error = await persistenceService.store({ userId: 'ada', content: 'c' }).catch((caught) => caught);
    expect(error).toBeInstanceOf(types.VectorStoreError);
    expect(error.details).toBeInstanceOf(Object);
    const { status: code, body } = await ask(memory.store, { userId: 'ada', content: 'c' });
    expect({ code, error: body.error }).toEqual({ code: 500, error: 'Failed to store memory' });
    expect(JSON.stringify(body)).not.toContain(new URL(application.database.url).password);
  });

  test('when it is back, nothing is missing', async () => {
    application.proxies.postgres.pass();
    await expect.poll(async () => (await ask(status.GET)).body.status, { timeout: 20_000 }).toBe('healthy');
    await settle();
    const rows = await application.database.query(
      'select count(*)::int as n from memory_entries where not is_deleted',
    );
    expect(rows).toEqual([{ n: 4 }]);
  });
});

describe('with both down', () => {
  beforeAll(() => {
    for (const proxy of Object.values(application.proxies)) proxy.refuse();
  });

  test('status is 200 and unhealthy, both are named, and there is no number', async () => {
    const body = expectStatus(await ask(status.GET));
    expectUnhealthy(body);
    expect(body.stores.graphStore.healthy).toBe(false);
    expect((await ask(sync.GET)).body.stats).toMatchObject({
      ...UNKNOWN,
      unavailable: { vectorStore: AWAY, graphStore: { code: expect.any(String) } },
    });
  });

  test('nothing is acknowledged, and reads do not come back empty', async () => {
    expect((await ask(memory.store, { userId: 'ada', content: 'lost' })).status).toBe(500);
    expect((await ask(memory.retrieve, { userId: 'ada', query: 'rollout' })).status).toBe(500);
    expect((await ask(memory.search, { userId: 'ada', query: 'rollout' })).status).toBe(500);
  });

  test('when they are back, both are equal and hold what was acknowledged', async () => {
    for (const proxy of Object.values(application.proxies)) proxy.pass();
    await expect.poll(async () => (await ask(status.GET)).body.status, { timeout: 60_000 }).toBe('healthy');
    await settle();
    expect(expectStatus(await ask(status.GET)).sync).toMatchObject({
      vectorStoreCount: 4,
      graphStoreCount: 4,
    });
  });
});
