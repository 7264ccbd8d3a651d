// Neo4j that refuses, does not answer, rejects a memory or belongs to somebody else: Postgres goes on.
import * as api from 'izzie-memory';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startProxy } from '../../support/proxy.mjs';
import { freshDatabase } from '../../support/stores.mjs';
import { rejection, useGraph } from '../support.mjs';

const GRACE = { type: 'person', value: 'Grace' };
const ENGINE = { type: 'project', value: 'Engine' };
const GIVEN = { entities: [GRACE] };
const WAIT = 300;
/** For a loaded machine. The driver's own patience is 10 s and more. */
const SLACK = 7000;
const HEALTH = 9000;

const codes = ({ reasons }) => reasons.map(({ code }) => code);

async function timed(work) {
  const begun = performance.now();
  const value = await work();
  return { value, ms: performance.now() - begun };
}

describe('Neo4j behind a proxy', () => {
  const database = useGraph('neo4j');
  const proxies = [];

  /** A layer of its own connections to Neo4j, and their proxy. */
  async function proxied(persistence) {
    const proxy = await startProxy(database.neo4j.uri);
    proxies.push(proxy);
    const neo4j = { ...database.neo4j.credentials, uri: proxy.url(database.neo4j.uri) };
    return { ...database.layer({ neo4j, extractor: 'none', persistence }), proxy };
  }

  beforeAll(async () => {
    const { memory } = database.layer();
    const stored = await memory.store({ userId: 'warm', content: 'w' }, GIVEN);
    expect(stored.metadata.graphWriteSuccess).toBe(true);
  });

  afterAll(async () => {
    for (const proxy of proxies) {
      proxy.refuse();
      await proxy.close();
    }
  });

  describe.each([
    ['refuses', (proxy) => proxy.refuse()],
    ['is a black hole', (proxy) => proxy.blackhole()],
  ])('that %s', (_name, fail) => {
    let layer;
    let before;

    beforeAll(async () => {
      layer = await proxied({ graphWaitMs: WAIT });
      before = await layer.memory.store({ userId: 'ada', content: 'before it failed' }, GIVEN);
      await layer.sync.fullSync();
      fail(layer.proxy);
    });

    test('store commits in bounded time, and owes', async () => {
      const { memory } = layer;
      for (let time = 0; time < 4; time += 1) {
        const { value, ms } = await timed(() =>
          memory.store({ userId: 'ada', content: `while ${time}` }, GIVEN),
        );
        expect(value.metadata).toMatchObject({
          created: true,
          vectorWriteSuccess: true,
          graphWriteSuccess: false,
        });
        expect(ms).toBeLessThan(WAIT + SLACK);
      }
    });

    test('PersistenceService succeeds and says why the graph has it not', async () => {
      const { success, data, error, metadata } = await layer.persistence.store({
        userId: 'ada',
        content: 'reported',
        ...GIVEN,
      });
      expect({ success, content: data.content }).toEqual({ success: true, content: 'reported' });
      expect(metadata).toMatchObject({ vectorWriteSuccess: true, graphWriteSuccess: false });
      expect(error).toBeInstanceOf(api.GraphStoreError);
      expect(error).toMatchObject({ code: 'GRAPH_STORE_ERROR', retryable: true });
      expect(['UNAVAILABLE', 'TIMEOUT']).toContain(error.reason);
    });

    test('retrieve, update and delete work', async () => {
      const { memory } = layer;
      expect(
        (await memory.retrieve('ada', 'before')).length + (await memory.getAll('ada')).length,
      ).toBeGreaterThan(1);
      const { value: updated, ms } = await timed(() =>
        memory.update(before.id, { content: 'after it failed' }),
      );
      expect(updated).toMatchObject({ content: 'after it failed', metadata: { graphWriteSuccess: false } });
      expect(ms).toBeLessThan(WAIT + SLACK);
      const gone = await memory.store({ userId: 'ada', content: 'gone' }, GIVEN);
      await memory.delete(gone.id);
      expect(await memory.getById(gone.id)).toBeNull();
    });

    test('health is degraded, in bounded time', async () => {
      const { value: health, ms } = await timed(() => layer.memory.getHealth());
      expect(health).toMatchObject({
        status: 'degraded',
        stores: {
          vectorStore: { available: true, healthy: true },
          graphStore: { available: false, healthy: false, error: expect.any(String) },
        },
      });
      expect(health.metrics.totalMemories).toBeGreaterThan(0);
      expect(health.metrics).toMatchObject({ graphStoreCount: null, syncPercentage: null });
      expect(ms).toBeLessThan(HEALTH);
      expect(JSON.stringify(health)).not.toContain(database.neo4j.password);
    });

    test('sync calls reject with a SyncError', async () => {
      const error = await rejection(layer.sync.fullSync());
      expect(error).toBeInstanceOf(api.SyncError);
      expect(error).toMatchObject({ code: 'SYNC_ERROR', retryable: true });
      expect(['UNAVAILABLE', 'TIMEOUT']).toContain(error.reason);
    });

    test('when it is back, fullSync repairs', async () => {
      layer.proxy.pass();
      await expect
        .poll(() => layer.sync.fullSync().catch((error) => error), { timeout: 90_000 })
        .toMatchObject({
          failed: 0,
          pending: 0,
        });
      expect(await layer.sync.checkConsistency()).toEqual([]);
      const live = await database.query(
        'select id::text from memory_entries where not is_deleted order by 1',
      );
      expect(await database.graph.memories()).toEqual(live.map(({ id }) => id));
      expect(await layer.memory.getHealth()).toMatchObject({
        status: 'healthy',
        metrics: { syncPercentage: 100 },
      });
    });
  });

  test('an abort after the commit, while the graph is waited for, changes nothing: the call resolves', async () => {
    const { memory, sync, proxy } = await proxied({ graphWaitMs: 1500 });
    await sync.fullSync();
    proxy.blackhole();
    const id = '33333333-3333-4333-8333-333333333333';
    const controller = new AbortController();
    const { signal } = controller;
    const outcome = memory.store({ userId: 'ada', content: 'committed' }, { id, signal, ...GIVEN });
    await expect
      .poll(() => database.query('select id from memory_entries where id = $1', [id]))
      .toHaveLength(1);
    controller.abort();
    expect((await outcome).metadata).toMatchObject({ created: true, graphWriteSuccess: false });
    proxy.refuse();
  });

  describe('rollbackOnPartialFailure', () => {
    let layer;
    let stored;

    const row = async (id) => (await database.query('select * from memory_entries where id = $1', [id]))[0];

    /** Long enough for a write that goes well. */
    const PATIENT = 20_000;

    beforeEach(async () => {
      await database.query('delete from memory_entries');
      layer = await proxied({ rollbackOnPartialFailure: true, graphWaitMs: PATIENT });
      await layer.sync.fullSync();
      stored = await layer.memory.store(
        { userId: 'ada', content: 'old', metadata: { a: 1 } },
        { entities: [GRACE], importance: 3, summary: 's', conversationId: 'conv-1' },
      );
      expect(stored.metadata.graphWriteSuccess).toBe(true);
      layer.proxy.refuse();
    });

    function expectRolledBack(error, id) {
      expect(error).toBeInstanceOf(api.GraphStoreError);
      expect(error).toMatchObject({ code: 'GRAPH_STORE_ERROR', reason: 'ROLLED_BACK', retryable: true });
      if (id) expect(error.details.memoryId).toBe(id);
    }

    async function expectEquality() {
      layer.proxy.pass();
      await expect
        .poll(() => layer.sync.fullSync().catch((error) => error), { timeout: 90_000 })
        .toMatchObject({
          failed: 0,
          pending: 0,
        });
      expect(await layer.sync.checkConsistency()).toEqual([]);
    }

    test('store leaves no row', async () => {
      const id = '11111111-1111-4111-8111-111111111111';
      expectRolledBack(await rejection(layer.memory.store({ userId: 'ada', content: 'new' }, { id })), id);
      expect(await row(id)).toBeUndefined();
      expect(await layer.memory.getById(id)).toBeNull();
      expectRolledBack(await rejection(layer.persistence.store({ userId: 'ada', content: 'new', id })), id);
      expect(await row(id)).toBeUndefined();
      await expectEquality();
      expect(await database.graph.memories()).not.toContain(id);
      expect((await layer.memory.store({ userId: 'ada', content: 'new' }, { id })).metadata).toMatchObject({
        created: true,
        graphWriteSuccess: true,
      });
    });

    test('a store that had nothing to do takes nothing back', async () => {
      const again = { userId: 'ada', content: 'old', id: stored.id };
      expect(await layer.persistence.store(again)).toMatchObject({ success: true, data: { id: stored.id } });
      expect(await row(stored.id)).toMatchObject({ content: 'old', is_deleted: false });
    });

    test('a store that brings a deleted memory back leaves it deleted', async () => {
      layer.proxy.pass();
      await expect
        .poll(() => layer.memory.delete(stored.id).catch((error) => error), { timeout: 20_000 })
        .toBeUndefined();
      layer.proxy.refuse();
      const again = { userId: 'ada', content: 'old', id: stored.id, restore: true };
      const { userId, content, ...options } = again;
      expectRolledBack(await rejection(layer.memory.store({ userId, content }, options)), stored.id);
      const { failed } = await layer.memory.storeMany([again]);
      expectRolledBack(failed[0].error, stored.id);
      expect(await row(stored.id)).toMatchObject({ content: 'old', is_deleted: true });
      expect(await layer.memory.getById(stored.id)).toBeNull();
      await expectEquality();
      expect(await database.graph.memories()).not.toContain(stored.id);
      const back = await layer.memory.store({ userId, content }, options);
      expect(back).toMatchObject({ entities: stored.entities, metadata: { graphWriteSuccess: true } });
    });

    test('update puts the old content back under a new revision', async () => {
      const updates = {
        content: 'new',
        summary: null,
        metadata: { b: 2 },
        importance: 9,
        entities: [ENGINE],
      };
      expectRolledBack(await rejection(layer.memory.update(stored.id, updates)), stored.id);
      const [after] = await layer.memory.getMany([stored.id]);
      expect(after).toMatchObject({ content: 'old', summary: 's', importance: 3, conversationId: 'conv-1' });
      expect(after.metadata.a).toBe(1);
      expect(after.entities).toEqual(stored.entities);
      expect(after.revision).toBeGreaterThan(stored.revision + 1);
      expect(await layer.memory.retrieve('ada', 'old', { mode: 'text' })).toHaveLength(1);
      await expectEquality();
      expect(await database.graph.mentions(stored.id)).toEqual(['grace']);
    });

    test.each([false, true])('delete with hard: %s restores', async (hard) => {
      expectRolledBack(await rejection(layer.memory.delete(stored.id, { hard })), stored.id);
      const [after] = await layer.memory.getMany([stored.id]);
      expect(after).toMatchObject({ content: 'old', summary: 's', importance: 3, conversationId: 'conv-1' });
      expect(after.createdAt).toEqual(stored.createdAt);
      expect(after.entities).toEqual(stored.entities);
      await expectEquality();
      expect(await database.graph.memories()).toContain(stored.id);
    });

    test('a write that a newer one has replaced meanwhile is left in place', async () => {
      const { memory, sync, proxy } = await proxied({ rollbackOnPartialFailure: true, graphWaitMs: 8000 });
      await sync.fullSync();
      proxy.blackhole();
      const outcome = rejection(memory.update(stored.id, { content: 'replaced soon' }));
      await expect.poll(async () => (await row(stored.id)).content).toBe('replaced soon');
      await database.query(`update memory_entries set content = 'newest' where id = $1`, [stored.id]);
      const error = await outcome;
      expect(error).toBeInstanceOf(api.GraphStoreError);
      expect(error).toMatchObject({ reason: 'ROLLBACK_SUPERSEDED', retryable: false });
      expect(error.details.memoryId).toBe(stored.id);
      expect(await row(stored.id)).toMatchObject({ content: 'newest' });
      proxy.refuse();
      await expectEquality();
    });

    test('a graph write that timed out counts as failed, and its late commit is undone', async () => {
      const { memory, sync, proxy } = await proxied({ rollbackOnPartialFailure: true, graphWaitMs: WAIT });
      await sync.fullSync();
      const id = '22222222-2222-4222-8222-222222222222';
      proxy.pass({ latencyMs: WAIT * 2 });
      const error = await rejection(memory.store({ userId: 'ada', content: 'late' }, { id, ...GIVEN }));
      expectRolledBack(error, id);
      expect(error.details.cause).toMatchObject({ reason: 'TIMEOUT' });
      expect(await row(id)).toBeUndefined();
      proxy.pass();
      await expectEquality();
      expect(await database.graph.memories()).not.toContain(id);
    });
  });
});

describe('a memory that Neo4j rejects for good', () => {
  const database = useGraph('neo4j');
  const CONSTRAINT = 'api_test_unique_summary';

  beforeAll(() =>
    database.neo4j.query(
      `CREATE CONSTRAINT ${CONSTRAINT} IF NOT EXISTS FOR (m:IzzieMemory) REQUIRE m.summary IS UNIQUE`,
    ),
  );
  afterAll(() => database.neo4j.query(`DROP CONSTRAINT ${CONSTRAINT} IF EXISTS`));

  test('is tried again after a delay that retryDelayMs bounds', async () => {
    const due = async (retryDelayMs, summary) => {
      const { memory, sync } = database.layer({
        extractor: 'none',
        persistence: { retryAttempts: 9, retryDelayMs, graphWaitMs: 20_000 },
      });
      const first = await memory.store({ userId: 'grace', content: 'first' }, { summary });
      const { id } = await memory.store({ userId: 'grace', content: 'second' }, { summary });
      await sync.rebuildGraph({ userId: 'grace' });
      const [debt] = await database.query(
        `select attempts, extract(epoch from next_attempt_at - now())::float8 * 1000 as ms
         from izzie_memory.memory_sync where memory_id = $1 and target like 'neo4j%'`,
        [id],
      );
      for (const taken of [id, first.id]) await memory.delete(taken, { hard: true });
      return debt;
    };
    const soon = await due(1, 'soon');
    expect(soon.attempts).toBeGreaterThan(0);
    expect(soon.ms).toBeLessThan(1000);
    const late = await due(100_000_000, 'late');
    expect(
      late.ms,
      'full jitter over five minutes, the longest pause: hardly ever below 100 ms',
    ).toBeGreaterThan(100);
    expect(late.ms).toBeLessThanOrEqual(300_000);
  });

  test('is put aside after retryAttempts, told, and revived by its next write', async () => {
    const layer = database.layer({
      extractor: 'none',
      persistence: { retryAttempts: 2, retryDelayMs: 1, graphWaitMs: 20_000 },
    });
    const { memory, persistence, sync } = layer;
    await memory.store({ userId: 'ada', content: 'first' }, { summary: 'taken' });
    const { success, data, error, metadata } = await persistence.store({
      userId: 'ada',
      content: 'second',
      summary: 'taken',
    });
    expect({ success, graph: metadata.graphWriteSuccess }).toEqual({ success: true, graph: false });
    expect(error).toBeInstanceOf(api.GraphStoreError);
    expect(error).toMatchObject({ reason: 'GRAPH_REJECTED', retryable: false });

    await expect
      .poll(
        async () => {
          await database.query('update izzie_memory.memory_sync set next_attempt_at = now()');
          await sync.fullSync();
          return await sync.getStats();
        },
        { timeout: 90_000 },
      )
      .toMatchObject({ dead: 1 });
    const [debt] = (await database.debts()).filter(({ target }) => target.startsWith('neo4j'));
    expect(debt).toMatchObject({ memory_id: data.id, state: 'dead', attempts: 2 });
    const health = await memory.getHealth();
    expect(codes(health)).toContain('DEAD_LETTERS');
    expect(health.metrics).toMatchObject({ totalMemories: 2, graphStoreCount: 1, syncPercentage: 50 });

    const other = await memory.store({ userId: 'ada', content: 'third' }, { summary: 'free' });
    expect(other.metadata.graphWriteSuccess, 'others flow').toBe(true);

    const updated = await memory.update(data.id, { summary: 'unique' });
    expect(updated.metadata.graphWriteSuccess).toBe(true);
    expect(await sync.getStats()).toMatchObject({ dead: 0, pending: 0, syncPercentage: 100 });
  });
});

describe('a graph of another database', () => {
  const database = useGraph('neo4j');
  let other;

  beforeAll(async () => {
    const stored = await database.layer().memory.store({ userId: 'ada', content: 'ours' }, GIVEN);
    expect(stored.metadata.graphWriteSuccess).toBe(true);
    other = await freshDatabase();
  });

  afterAll(() => other.drop());

  test('is not written to: the second database is told', async () => {
    const layer = api.createMemoryLayer({
      databaseUrl: other.url,
      neo4j: database.neo4j.credentials,
      embedder: 'none',
      persistence: { graphWaitMs: 20_000 },
    });
    try {
      await layer.migrate();
      const before = await database.graph.memories();
      const { success, error, metadata } = await layer.persistence.store({
        userId: 'ada',
        content: 'theirs',
      });
      expect({ success, graph: metadata.graphWriteSuccess }).toEqual({ success: true, graph: false });
      expect(error).toMatchObject({
        name: 'GraphStoreError',
        reason: 'GRAPH_STORE_MISMATCH',
        retryable: false,
      });
      const refused = await rejection(layer.sync.fullSync());
      expect(refused).toMatchObject({ name: 'SyncError', reason: 'GRAPH_STORE_MISMATCH' });
      const health = await layer.memory.getHealth();
      expect(health.status).toBe('degraded');
      expect(codes(health)).toContain('GRAPH_STORE_MISMATCH');
      expect(await database.graph.memories()).toEqual(before);
    } finally {
      await layer.close();
    }
  });

  test('an instance configured for another graph only enqueues', async () => {
    const { memory, sync } = database.layer({ graphStore: 'postgres' });
    const stored = await memory.store({ userId: 'ada', content: 'by a cron job without NEO4J_URI' }, GIVEN);
    expect(stored.metadata).toMatchObject({ vectorWriteSuccess: true, graphWriteSuccess: false });
    expect(await memory.getHealth()).toMatchObject({ status: 'degraded' });
    expect(await rejection(sync.fullSync())).toMatchObject({
      name: 'SyncError',
      reason: 'GRAPH_STORE_MISMATCH',
    });
    expect(await database.graph.memories()).not.toContain(stored.id);
    expect(await database.layer().sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
    expect(await database.graph.memories()).toContain(stored.id);
  });
});

describe('a wrong password for Neo4j', () => {
  const database = useGraph('neo4j');

  test('degrades, and is nowhere to be seen', async () => {
    const neo4j = { ...database.neo4j.credentials, password: 'canary-password' };
    const { memory, persistence, sync } = database.layer({ neo4j });
    const result = await persistence.store({ userId: 'ada', content: 'c' });
    expect(result).toMatchObject({ success: true, metadata: { graphWriteSuccess: false } });
    const health = await memory.getHealth();
    expect(health.status).toBe('degraded');
    const error = await rejection(sync.fullSync());
    expect(error).toBeInstanceOf(api.SyncError);
    const seen = JSON.stringify([health, result, result.error, error, error.stack, result.error.stack]);
    expect(seen).not.toContain('canary');
  });
});
