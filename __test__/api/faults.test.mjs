// Postgres that refuses, does not answer, or loses the connection.
import * as api from 'izzie-memory';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startProxy } from '../support/proxy.mjs';
import { freshDatabase } from '../support/stores.mjs';
import { quiet, rejection, useDatabase } from './support.mjs';

const ENTRY = { userId: 'ada', content: 'Lunch with Grace' };
const ID = '3f2c0c6e-6b1c-4b53-9c36-0d3a3b1f3a10';

const READS = [
  ['getById', ({ memory }) => memory.getById(ID)],
  ['getMany', ({ memory }) => memory.getMany([ID])],
  ['getAll', ({ memory }) => memory.getAll('ada')],
  ['getStats', ({ memory }) => memory.getStats('ada')],
  ['retrieve', ({ memory }) => memory.retrieve('ada', 'q')],
];
const WRITES = [
  ['store', ({ memory }) => memory.store(ENTRY)],
  ['update', ({ memory }) => memory.update(ID, { content: 'new' })],
  ['delete', ({ memory }) => memory.delete(ID)],
];
const SYNCS = [
  ['checkConsistency', ({ sync }) => sync.checkConsistency()],
  ['fullSync', ({ sync }) => sync.fullSync()],
  ['rebuildGraph', ({ sync }) => sync.rebuildGraph()],
];

/** With room for a loaded machine: a statement may take 30 s, and so may waiting for a connection. */
const AT_ONCE_MS = 5000;
const BOUNDED_MS = 12_000;

async function timed(work) {
  const begun = performance.now();
  const value = await work();
  return { value, ms: performance.now() - begun };
}

describe('Postgres', () => {
  const database = useDatabase();
  const open = [];

  /** A layer of its own connections, by way of a proxy. */
  async function proxied(config) {
    const proxy = await startProxy(database.url);
    const layer = database.layer({ databaseUrl: proxy.url(database.url), ...config });
    open.push(proxy);
    return { ...layer, proxy };
  }

  afterAll(async () => {
    for (const proxy of open) {
      proxy.pass();
      await proxy.close();
    }
  });

  describe.each([
    ['from the start', async () => {}],
    ['after it was there', ({ memory }) => memory.getAll('ada')],
  ])('refusing %s', (_when, first) => {
    let layer;

    beforeEach(async () => {
      layer ??= await proxied();
      if (layer.refusing) return;
      await first(layer);
      layer.proxy.refuse();
      layer.refusing = true;
    });

    test.each([...READS, ...WRITES])('%s rejects fast', async (_name, call) => {
      const { value: error, ms } = await timed(() => rejection(call(layer)));
      expect(error).toBeInstanceOf(api.VectorStoreError);
      expect(error).toMatchObject({ code: 'VECTOR_STORE_ERROR', reason: 'UNAVAILABLE', retryable: true });
      expect(ms).toBeLessThan(AT_ONCE_MS);
    });

    test.each(SYNCS)('sync.%s rejects with a SyncError', async (_name, call) => {
      const error = await rejection(call(layer));
      expect(error).toBeInstanceOf(api.SyncError);
      expect(error).toMatchObject({ code: 'SYNC_ERROR', reason: 'UNAVAILABLE', retryable: true });
    });

    test.each([
      ['store', ENTRY],
      ['update', { id: ID, content: 'new' }],
      ['delete', { id: ID }],
    ])('PersistenceService.%s rejects, as the original documentation catches it', async (method, request) => {
      const error = await rejection(layer.persistence[method](request));
      expect(error).toBeInstanceOf(api.VectorStoreError);
      expect(error).toMatchObject({ code: 'VECTOR_STORE_ERROR', reason: 'UNAVAILABLE' });
      expect(error.details, 'what its handler prints').toBeInstanceOf(Object);
    });

    test('health is unhealthy, with the password nowhere', async () => {
      const { value: health, ms } = await timed(() => layer.memory.getHealth());
      expect(health).toMatchObject({
        status: 'unhealthy',
        stores: { vectorStore: { available: false, healthy: false, error: expect.any(String) } },
        metrics: {
          totalMemories: null,
          vectorStoreCount: null,
          graphStoreCount: null,
          syncPercentage: null,
        },
      });
      expect(health.stores.vectorStore.lastCheck).toBeInstanceOf(Date);
      expect(health.reasons.map(({ code }) => code)).toContain('UNAVAILABLE');
      expect(ms).toBeLessThan(BOUNDED_MS);
      expect(JSON.stringify(health)).not.toContain(new URL(database.url).password);
    });
  });

  test('that comes back is used again', async () => {
    const { memory, proxy } = await proxied();
    await memory.getAll('ada');
    proxy.refuse();
    await rejection(memory.getAll('ada'));
    proxy.pass();
    expect(await memory.getAll('ada')).toEqual([]);
    expect((await memory.getHealth()).status).toBe('healthy');
  });

  test.each([
    ['from the start', async () => {}],
    ['after it was there', ({ memory }) => memory.getAll('ada')],
  ])('a black hole %s: health answers in bounded time, calls can be aborted', async (_when, first) => {
    const layer = await proxied();
    await first(layer);
    layer.proxy.blackhole();
    const { value: health, ms } = await timed(() => layer.memory.getHealth());
    expect(health.status).toBe('unhealthy');
    expect(health.reasons.map(({ code }) => code)).toContain('TIMEOUT');
    expect(ms).toBeLessThan(BOUNDED_MS);
    const { value: error, ms: abortMs } = await timed(() =>
      rejection(layer.memory.getAll('ada', { signal: AbortSignal.timeout(200) })),
    );
    expect(error.name).toBe('TimeoutError');
    expect(abortMs).toBeLessThan(AT_ONCE_MS);
    layer.proxy.refuse();
  });

  test('busy with the one connection there is: OVERLOADED', async () => {
    const { memory } = database.layer({ pool: { max: 1, acquireTimeoutMs: 300 } });
    await memory.getAll('ada');
    const blocker = new pg.Client({ connectionString: database.url });
    await blocker.connect();
    try {
      await blocker.query('begin; lock table memory_entries');
      const calls = [memory.getAll('ada'), memory.getAll('ada')];
      const { value: error, ms } = await timed(() => rejection(Promise.race(calls)));
      expect(error).toBeInstanceOf(api.VectorStoreError);
      expect(error).toMatchObject({ code: 'VECTOR_STORE_ERROR', reason: 'OVERLOADED', retryable: true });
      expect(ms).toBeGreaterThan(250);
      expect(ms).toBeLessThan(BOUNDED_MS);
      await blocker.query('commit');
      expect(await Promise.any(calls)).toEqual([]);
    } finally {
      await blocker.end();
    }
  });

  test('losing the connection during the commit: the outcome is unknown, and repeating is safe', async () => {
    const { memory, proxy } = await proxied({ extractor: 'none' });
    await memory.store({ ...ENTRY, content: 'warm' });
    await quiet(proxy);
    const options = { idempotencyKey: 'cut' };
    proxy.cut({ from: 'target', afterBytes: 0 });
    const error = await rejection(memory.store(ENTRY, options));
    expect(error).toBeInstanceOf(api.VectorStoreError);
    expect(error).toMatchObject({ reason: 'OUTCOME_UNKNOWN', retryable: true });
    proxy.pass();
    const again = await memory.store(ENTRY, options);
    expect(again.metadata.vectorWriteSuccess).toBe(true);
    const rows = await database.query('select id from memory_entries where content = $1', [ENTRY.content]);
    expect(rows).toEqual([{ id: again.id }]);
  });
});

describe('a database', () => {
  let database;

  afterAll(() => database?.drop());

  test('without our tables is SCHEMA_OUTDATED until it is migrated', async () => {
    database = await freshDatabase();
    const layer = api.createMemoryLayer({
      databaseUrl: database.url,
      graphStore: 'postgres',
      embedder: 'none',
    });
    const error = await rejection(layer.memory.store(ENTRY));
    expect(error).toBeInstanceOf(api.PersistenceError);
    expect(error).toMatchObject({ reason: 'SCHEMA_OUTDATED', retryable: false });
    expect(error.message).toContain('migrate()');
    expect(await layer.memory.getHealth()).toMatchObject({ status: 'unhealthy' });
    const { applied } = await layer.migrate();
    expect(applied.length).toBeGreaterThan(0);
    expect(await layer.migrate()).toMatchObject({ applied: [] });
    expect((await layer.memory.store(ENTRY)).metadata.created).toBe(true);
    await layer.close();
  });

  test('that refuses the statement is STATEMENT_REJECTED with its SQLSTATE', async () => {
    await database.query(`alter table memory_entries add constraint no_tea check (content not like '%tea%')`);
    const layer = api.createMemoryLayer({
      databaseUrl: database.url,
      graphStore: 'postgres',
      embedder: 'none',
    });
    const error = await rejection(layer.memory.store({ userId: 'ada', content: 'a cup of tea' }));
    await layer.close();
    expect(error).toBeInstanceOf(api.VectorStoreError);
    expect(error).toMatchObject({
      code: 'VECTOR_STORE_ERROR',
      reason: 'STATEMENT_REJECTED',
      retryable: false,
    });
    expect(JSON.stringify(error.details)).toContain('23514');
  });

  test('that is migrated by several at once is migrated once', async () => {
    const fresh = await freshDatabase();
    const layers = Array.from({ length: 4 }, (_, index) =>
      api.createMemoryLayer({ databaseUrl: fresh.url, graphStore: 'none', limits: { batch: index + 1 } }),
    );
    const results = await Promise.all(layers.map((layer) => layer.migrate()));
    expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
    await Promise.all(layers.map((layer) => layer.close()));
    await fresh.drop();
  });

  test('whose commits are not durable by default is overruled by every write', async () => {
    await database.query(`
      create table commits (mode text);
      create function note_commit() returns trigger language plpgsql as
        'begin insert into public.commits values (current_setting(''synchronous_commit'')); return null; end';
      create trigger note_commit after insert or update or delete on memory_entries
        for each row execute function note_commit();
      alter database ${new URL(database.url).pathname.slice(1)} set synchronous_commit = off`);
    const layer = api.createMemoryLayer({
      databaseUrl: database.url,
      graphStore: 'postgres',
      embedder: 'none',
    });
    const { id } = await layer.memory.store(ENTRY);
    await layer.memory.update(id, { content: 'changed' });
    await layer.memory.delete(id);
    await layer.memory.delete(id, { hard: true });
    await layer.close();
    expect(await database.query('select mode from commits')).toEqual(Array(4).fill({ mode: 'on' }));
  });

  test('with a wrong password tells no password', async () => {
    const url = new URL(database.url);
    url.password = 'canary-password';
    const layer = api.createMemoryLayer({ databaseUrl: url.href, graphStore: 'postgres', embedder: 'none' });
    const error = await rejection(layer.memory.store(ENTRY));
    const health = await layer.memory.getHealth();
    await layer.close();
    expect(error).toBeInstanceOf(api.VectorStoreError);
    expect(`${JSON.stringify([error, health])}${error.stack}`).not.toContain('canary');
    expect(health.status).toBe('unhealthy');
  });
});
