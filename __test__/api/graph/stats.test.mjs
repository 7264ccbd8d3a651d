// What getStats knows while a store is away: it answers in bounded time, names the store, and gives no number that
// nobody counted.
import * as api from 'izzie-memory';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProxy } from '../../support/proxy.mjs';
import { freshDatabase } from '../../support/stores.mjs';
import { onBothGraphs, rejection, useGraph } from '../support.mjs';

const BOUND_MS = 5000;
const GIVEN = { entities: [{ type: 'person', value: 'Grace' }] };
const UNKNOWN = {
  vectorStoreCount: null,
  graphStoreCount: null,
  syncPercentage: null,
  pending: null,
  dead: null,
  conflicts: null,
  embedding: null,
  extraction: null,
};

const said = (code) => ({ code: expect.stringMatching(code), message: expect.stringMatching(/\S/) });

/** What getStats and the health beside it answer, and in what time. */
async function asked({ sync, memory }) {
  const begun = performance.now();
  const stats = await sync.getStats();
  const ms = performance.now() - begun;
  return { stats, ms, health: await memory.getHealth() };
}

function expectNothingKnown({ stats, ms, health }, code) {
  expect(ms).toBeLessThan(BOUND_MS);
  expect(stats).toEqual({ ...UNKNOWN, unavailable: { vectorStore: said(code), graphStore: said(/./) } });
  expect(health).toMatchObject({
    status: 'unhealthy',
    metrics: { totalMemories: null, vectorStoreCount: null, graphStoreCount: null, syncPercentage: null },
  });
  expect(JSON.stringify([stats, health])).not.toMatch(/canary/);
}

onBothGraphs('Postgres away, the graph in %s', (kind) => {
  const database = useGraph(kind);
  const proxies = [];

  async function proxied(config) {
    const proxy = await startProxy(database.url);
    proxies.push(proxy);
    return { ...database.layer({ databaseUrl: proxy.url(database.url), ...config }), proxy };
  }

  beforeAll(async () => {
    await database.layer().memory.store({ userId: 'ada', content: 'there' }, GIVEN);
  });

  afterAll(async () => {
    for (const proxy of proxies) {
      proxy.refuse();
      await proxy.close();
    }
  });

  const asFromTheStart = async () => {};
  const asAfterItWasThere = ({ sync }) => sync.getStats();

  test.each([
    ['refuses from the start', asFromTheStart, (proxy) => proxy.refuse(), /^UNAVAILABLE$/],
    ['refuses after it was there', asAfterItWasThere, (proxy) => proxy.refuse(), /^UNAVAILABLE$/],
    ['is a black hole from the start', asFromTheStart, (proxy) => proxy.blackhole(), /^TIMEOUT$/],
    ['is a black hole after it was there', asAfterItWasThere, (proxy) => proxy.blackhole(), /^TIMEOUT$/],
  ])('%s: nothing is known, and that is said', async (_name, first, fail, code) => {
    const layer = await proxied();
    await first(layer);
    fail(layer.proxy);
    expectNothingKnown(await asked(layer), code);
    layer.proxy.pass();
    await expect
      .poll(() => layer.sync.getStats(), { timeout: 20_000 })
      .toMatchObject({
        vectorStoreCount: 1,
        graphStoreCount: 1,
        syncPercentage: 100,
      });
    expect(await layer.sync.getStats()).not.toHaveProperty('unavailable');
  });

  test('a wrong password is said, and not shown', async () => {
    const url = new URL(database.url);
    url.password = 'canary-password';
    const { stats, ms } = await asked(database.layer({ databaseUrl: url.href }));
    expect(ms).toBeLessThan(BOUND_MS);
    expect(JSON.stringify(stats)).not.toMatch(/canary/);
    // A server that trusts whoever comes lets it pass.
    if (stats.unavailable)
      expect(stats).toMatchObject({ ...UNKNOWN, unavailable: { vectorStore: said(/./) } });
  });

  test('a host that is not there is said', async () => {
    const databaseUrl = 'postgres://someone:canary-password@nowhere.invalid/app';
    expectNothingKnown(await asked(database.layer({ databaseUrl })), /./);
  });

  test('a database without our tables is said', async () => {
    const fresh = await freshDatabase();
    const layer = database.layer({ databaseUrl: fresh.url });
    expectNothingKnown(await asked(layer), /^SCHEMA_OUTDATED$/);
    await layer.close();
    await fresh.drop();
  });

  test('a pool that is used up is said', async () => {
    const layer = database.layer({ pool: { max: 1 } });
    await layer.memory.getAll('ada');
    const blocker = new pg.Client({ connectionString: database.url });
    await blocker.connect();
    try {
      await blocker.query('begin; lock table memory_entries');
      const held = layer.memory.getAll('ada');
      const { stats, ms } = await asked(layer);
      expect(ms).toBeLessThan(BOUND_MS);
      expect(stats).toMatchObject({
        ...UNKNOWN,
        unavailable: { vectorStore: said(/^(TIMEOUT|OVERLOADED)$/) },
      });
      await blocker.query('commit');
      await held;
    } finally {
      await blocker.end();
    }
  });

  test('a table that cannot be read is said', async () => {
    const layer = database.layer({ pool: { max: 2 } });
    await layer.sync.getStats();
    await database.query('alter table izzie_memory.memory_state rename to away');
    try {
      const { stats, ms } = await asked(layer);
      expect(ms).toBeLessThan(BOUND_MS);
      expect(stats).toMatchObject({ vectorStoreCount: null, unavailable: { vectorStore: said(/./) } });
    } finally {
      await database.query('alter table izzie_memory.away rename to memory_state');
    }
  });
});

describe('Neo4j away', () => {
  const database = useGraph('neo4j');
  const proxies = [];

  async function proxied() {
    const proxy = await startProxy(database.neo4j.uri);
    proxies.push(proxy);
    const neo4j = { ...database.neo4j.credentials, uri: proxy.url(database.neo4j.uri) };
    const persistence = { graphWaitMs: 200 };
    return { ...database.layer({ neo4j, persistence, extractor: 'none' }), proxy };
  }

  /** What Postgres knows is told; what the graph alone knows is not made up. */
  function expectPostgresOnly({ stats, ms, health }, { memories, pending, code }) {
    expect(ms).toBeLessThan(BOUND_MS);
    expect(stats).toMatchObject({
      vectorStoreCount: memories,
      graphStoreCount: null,
      syncPercentage: null,
      pending,
      dead: 0,
      conflicts: 0,
      embedding: { dead: 0 },
      unavailable: { graphStore: said(code) },
    });
    expect(stats.unavailable).not.toHaveProperty('vectorStore');
    expect(health).toMatchObject({
      status: 'degraded',
      metrics: {
        totalMemories: memories,
        vectorStoreCount: memories,
        graphStoreCount: null,
        syncPercentage: null,
      },
    });
    expect(JSON.stringify([stats, health])).not.toMatch(/canary/);
  }

  beforeAll(async () => {
    const stored = await database.layer().memory.store({ userId: 'ada', content: 'there' }, GIVEN);
    expect(stored.metadata.graphWriteSuccess).toBe(true);
  });

  afterAll(async () => {
    for (const proxy of proxies) {
      proxy.refuse();
      await proxy.close();
    }
  });

  describe.each([
    ['refusing', (proxy) => proxy.refuse()],
    ['a black hole', (proxy) => proxy.blackhole()],
  ])('%s', (_name, fail) => {
    test('from the start', async () => {
      const layer = await proxied();
      fail(layer.proxy);
      expectPostgresOnly(await asked(layer), { memories: 1, pending: 0, code: /^(UNAVAILABLE|TIMEOUT)$/ });
      layer.proxy.refuse();
    });

    test('after it was there: what waits in the queue is counted, the circuit open or not', async () => {
      const layer = await proxied();
      await layer.sync.fullSync();
      fail(layer.proxy);
      const kept = [];
      for (let time = 0; time < 4; time += 1) {
        kept.push(await layer.memory.store({ userId: 'ada', content: `while ${time}` }, GIVEN));
        expect(kept.at(-1).metadata.graphWriteSuccess).toBe(false);
        const expected = { memories: 2 + time, pending: 1 + time, code: /^(UNAVAILABLE|TIMEOUT)$/ };
        expectPostgresOnly(await asked(layer), expected);
      }
      const { items } = await layer.sync.getQueue({ target: 'graph' });
      expect(items).toHaveLength(4);
      layer.proxy.pass();
      const { sync, memory } = database.layer();
      await memory.deleteMany(
        kept.map(({ id }) => id),
        { hard: true },
      );
      expect(await sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
      expect(await sync.getStats()).toMatchObject({ vectorStoreCount: 1, syncPercentage: 100 });
    });
  });

  test('a wrong password is said, and not shown', async () => {
    const neo4j = { ...database.neo4j.credentials, password: 'canary-password' };
    const layer = database.layer({ neo4j, persistence: { graphWaitMs: 200 } });
    expectPostgresOnly(await asked(layer), { memories: 1, pending: 0, code: /./ });
  });

  test('a graph that is configured elsewhere is said', async () => {
    const layer = database.layer({ graphStore: 'postgres' });
    expectPostgresOnly(await asked(layer), { memories: 1, pending: 0, code: /^GRAPH_STORE_MISMATCH$/ });
  });

  test('no graph is no fault', async () => {
    const { stats, health } = await asked(database.layer({ graphStore: 'none' }));
    expect(stats).toMatchObject({ vectorStoreCount: 1, graphStoreCount: 0, syncPercentage: 100 });
    expect(stats).not.toHaveProperty('unavailable');
    expect(health.status).toBe('healthy');
  });
});

describe('a layer that cannot start', () => {
  test('for want of a configuration rejects', async () => {
    const before = process.env.DATABASE_URL;
    delete process.env.DATABASE_URL;
    try {
      const { sync } = api.createMemoryLayer({ embedded: false });
      expect(await rejection(sync.getStats())).toMatchObject({ reason: 'NOT_CONFIGURED' });
    } finally {
      if (before !== undefined) process.env.DATABASE_URL = before;
    }
  });

  test('because its folder cannot be used says so', async () => {
    // A file where the folder should be.
    const layer = api.createMemoryLayer({ embedded: import.meta.filename, logger: {} });
    const { stats, health } = await asked(layer);
    expect(health.status).toBe('unhealthy');
    expect(stats).toEqual({
      ...UNKNOWN,
      unavailable: { vectorStore: said(/^UNAVAILABLE$/), graphStore: said(/^UNAVAILABLE$/) },
    });
    await layer.close();
  });

  test('since it is closed rejects', async () => {
    const layer = api.createMemoryLayer({ databaseUrl: 'postgres://127.0.0.1:1/none' });
    await layer.close();
    expect(await rejection(layer.sync.getStats())).toMatchObject({ reason: 'CLOSED' });
  });
});
