// What each setting of a layer does.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startProxy } from '../support/proxy.mjs';
import { freshDatabase } from '../support/stores.mjs';
import { rejection, useDatabase } from './support.mjs';

const ENTRY = { userId: 'ada', content: 'Lunch with Grace Hopper' };
const CHILD = fileURLToPath(new URL('children/report.mjs', import.meta.url));

/** What a process of its own says of a layer that has nothing but its environment. */
async function report(cwd, environment) {
  const { PATH, HOME } = process.env;
  const options = { env: { PATH, HOME, ...environment }, cwd, timeout: 60_000 };
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD], options);
  return JSON.parse(stdout);
}

describe('a layer’s settings', () => {
  const database = useDatabase();

  test.each([
    ['a misspelt key', { databseUrl: 'x' }, 'databseUrl'],
    ['a misspelt limit', { limits: { contentByte: 1 } }, 'limits.contentByte'],
    ['a misspelt key of neo4j', { neo4j: { url: 'x' } }, 'neo4j.url'],
    ['a misspelt key of pool', { pool: { size: 1 } }, 'pool.size'],
    ['a misspelt option of persistence', { persistence: { retries: 1 } }, 'persistence.retries'],
    [
      'a strategy that is no name',
      { persistence: { conflictStrategy: 'callback' } },
      'persistence.conflictStrategy',
    ],
    ['embedded beside databaseUrl', { databaseUrl: 'postgres://h/d', embedded: true }, 'embedded'],
    ['a logger that is none', { logger: 'console' }, 'logger'],
    ['no object', 'postgres://h/d', 'config'],
  ])('%s is refused at once', (_name, config, field) => {
    let thrown;
    try {
      api.createMemoryLayer(config);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(api.PersistenceError);
    expect(thrown).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  test.each([
    ['a URL that is none', { databaseUrl: 'localhost' }, 'databaseUrl'],
    ['an unknown graph store', { graphStore: 'redis' }, 'graphStore'],
    ['Neo4j without settings', { graphStore: 'neo4j' }, 'neo4j'],
    ['Neo4j without a password', { neo4j: { uri: 'bolt://127.0.0.1:1' } }, 'neo4j.password'],
    ['an embedder without a model', { embedder: { dimensions: 3, embed() {} } }, 'embedder.model'],
    [
      'an embedder of no dimensions',
      { embedder: { model: 'm', dimensions: 0, embed() {} } },
      'embedder.dimensions',
    ],
    ['an embedder that cannot embed', { embedder: { model: 'm', dimensions: 3 } }, 'embedder.embed'],
    ['an unknown provider', { embedder: { provider: 'acme' } }, 'embedder.provider'],
    ['a pool of none', { pool: { max: 0 } }, 'pool.max'],
    ['a pool of half', { pool: { max: 1.5 } }, 'pool.max'],
    ['a negative limit', { limits: { contentBytes: -1 } }, 'limits.contentBytes'],
  ])('%s is refused by name', async (_name, config, field) => {
    const layer = database.layer({ graphStore: undefined, ...config });
    expect(await rejection(layer.memory.getAll('ada'))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field },
    });
    expect(await layer.memory.getHealth()).toMatchObject({
      status: 'unhealthy',
      reasons: [{ code: 'INVALID_ARGUMENT' }],
    });
  });

  test('explicit undefined is a default everywhere', async () => {
    const layer = database.layer({
      directUrl: undefined,
      embedded: undefined,
      neo4j: undefined,
      extractor: undefined,
      persistence: undefined,
      limits: undefined,
      pool: undefined,
      logger: undefined,
    });
    expect(await layer.memory.getHealth()).toMatchObject({ status: 'healthy' });
    const undefineds = { contentBytes: undefined, queryBytes: undefined };
    const { memory } = database.layer({
      limits: undefineds,
      pool: { max: undefined },
      neo4j: { uri: undefined },
    });
    expect(await memory.retrieve('ada', 'anything')).toEqual([]);
  });

  test('limits limit', async () => {
    const limits = { contentBytes: 10, metadataBytes: 20, entities: 1, batch: 2, queryBytes: 5 };
    const { memory } = database.layer({ limits });
    const entities = ['A', 'B'].map((value) => ({ type: 'person', value }));
    const cases = [
      [() => memory.store({ userId: 'ada', content: '12345678901' }), 'content', 10, 11],
      [
        () => memory.store({ userId: 'ada', content: 'c', metadata: { text: '1234567890' } }),
        'metadata',
        20,
        21,
      ],
      [() => memory.store({ userId: 'ada', content: 'c' }, { entities }), 'entities', 1, 2],
      [() => memory.getMany(['1', '2', '3']), 'ids', 2, 3],
      [() => memory.retrieve('ada', '123456'), 'query', 5, 6],
    ];
    for (const [call, field, limit, length] of cases) {
      const error = await rejection(call());
      expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field, limit, length } });
      expect(error.message).toContain(String(limit));
    }
    const stored = await memory.store({
      userId: 'ada',
      content: '1234567890',
      metadata: { text: '123456789' },
    });
    expect(stored.metadata.created).toBe(true);
    await memory.getMany(['1', '2']);
    await memory.retrieve('ada', '12345');
  });

  test('limits may be raised', async () => {
    const { memory } = database.layer({ limits: { contentBytes: 300_000 }, extractor: 'none' });
    const content = 'word '.repeat(50_000);
    const { id } = await memory.store({ userId: 'ada', content });
    expect((await memory.getById(id)).content).toBe(content);
  });

  test.each([1, 3])('pool.max: %i is how many connections calls use', async (max) => {
    const proxy = await startProxy(database.url);
    const url = proxy.url(database.url);
    const { memory, close } = database.layer({ databaseUrl: url, graphStore: 'none', pool: { max } });
    await memory.getAll('ada');
    proxy.pass({ latencyMs: 20 });
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, proxy.open);
    }, 5);
    await Promise.all(Array.from({ length: 20 }, () => memory.getAll('ada')));
    clearInterval(watch);
    // One more looks what answers when the first opens, and one why none comes free: on a slow machine, again and again.
    expect(most).toBeGreaterThanOrEqual(max);
    expect(most).toBeLessThanOrEqual(max + 2);
    await close();
    await proxy.close();
  });

  test('pool.max bounds what the server sees under load', async () => {
    const { memory } = database.layer({ pool: { max: 2 } });
    const open = () =>
      database.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      );
    const [{ n: before }] = await open();
    const calls = Array.from({ length: 200 }, () => memory.getStats('ada'));
    const [{ n: during }] = await open();
    await Promise.all(calls);
    expect(during - before).toBeLessThanOrEqual(2);
    expect((await open())[0].n - before).toBeLessThanOrEqual(2);
  });

  test('layers of equal settings share their connections', async () => {
    const proxy = await startProxy(database.url);
    const config = { databaseUrl: proxy.url(database.url), pool: { max: 1 } };
    const layers = Array.from({ length: 10 }, () => database.layer(config));
    for (const { memory } of layers) await memory.getAll('ada');
    // One for calls, at most two for the layer's own work.
    expect(proxy.open).toBeLessThanOrEqual(3);
    await Promise.all(layers.map(({ close }) => close()));
    await expect.poll(() => proxy.open).toBe(0);
    await proxy.close();
  });

  test('closing one of them leaves the others theirs', async () => {
    const [first, second] = [database.layer(), database.layer()];
    await first.memory.getAll('ada');
    await second.memory.getAll('ada');
    await first.close();
    expect((await second.memory.store(ENTRY)).metadata.created).toBe(true);
    expect(await rejection(first.memory.getAll('ada'))).toMatchObject({ code: 'CLOSED' });
  });

  test('directUrl is where migrations go, and nothing else', async () => {
    const direct = await startProxy(database.url);
    const pooler = await startProxy(database.url);
    const layer = database.layer({
      databaseUrl: pooler.url(database.url),
      directUrl: direct.url(database.url),
    });
    await layer.memory.getAll('ada');
    expect(direct.connections).toBe(0);
    const before = pooler.connections;
    expect(await layer.migrate()).toEqual({ applied: [], adopted: { rows: 0, pending: 0, failed: [] } });
    expect(direct.connections).toBeGreaterThan(0);
    expect(pooler.connections).toBe(before);
    await layer.close();
    for (const proxy of [direct, pooler]) await proxy.close();
  });
});

test('embedded: false without a database is NOT_CONFIGURED, wherever', async () => {
  vi.stubEnv('DATABASE_URL', '');
  vi.stubEnv('IZZIE_MEMORY_DIR', '');
  const { memory } = api.createMemoryLayer({ embedded: false });
  expect(await rejection(memory.getAll('ada'))).toMatchObject({ code: 'NOT_CONFIGURED', retryable: false });
  vi.unstubAllEnvs();
});

describe('graphStore', () => {
  const database = useDatabase();

  test("'none': nothing is written or owed, health is healthy", async () => {
    const { memory, sync } = database.layer({ graphStore: 'none' });
    const stored = await memory.store(ENTRY);
    expect(stored.metadata).not.toHaveProperty('graphWriteSuccess');
    expect(
      await database.query(`select * from izzie_memory.memory_sync where target <> 'embedding'`),
    ).toEqual([]);
    expect(await memory.getHealth()).toMatchObject({
      status: 'healthy',
      stores: { graphStore: { available: false, healthy: true } },
    });
    expect(await rejection(sync.checkConsistency())).toMatchObject({ reason: 'NOT_CONFIGURED' });
  });

  test("'auto' without Neo4j is the graph in Postgres, which then owes what is there", async () => {
    const { memory, sync } = database.layer({ graphStore: 'auto' });
    const stored = await memory.store(ENTRY);
    expect(stored.metadata.graphWriteSuccess).toBe(true);
    const held = 'select memory_id from izzie_memory.graph_memories';
    expect(await database.query(held)).toEqual([{ memory_id: stored.id }]);
    expect(await sync.fullSync()).toMatchObject({ pending: 0 });
    expect(await database.query(held)).toHaveLength(2);
  });

  test("'postgres' goes before configured Neo4j settings", async () => {
    const neo4j = { uri: 'bolt://127.0.0.1:1', password: '' };
    const { memory } = database.layer({ graphStore: 'postgres', neo4j });
    expect((await memory.store(ENTRY)).metadata.graphWriteSuccess).toBe(true);
    expect(await memory.getHealth()).toMatchObject({ status: 'healthy' });
  });
});

describe('the embedded store', () => {
  let folder;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'izzie-config-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test('in a folder, announced to the logger, keeps what it was given', async () => {
    const said = [];
    const logger = { info: (message) => said.push(message) };
    const place = join(folder, 'data');
    for (const created of [true, false]) {
      const layer = api.createMemoryLayer({ embedded: place, embedder: 'none', logger });
      const stored = await layer.memory.store(ENTRY, { idempotencyKey: 'once' });
      expect(stored.metadata).toMatchObject({ created, graphWriteSuccess: true });
      expect((await layer.memory.retrieve('ada', 'lunch')).map(({ id }) => id)).toEqual([stored.id]);
      expect((await layer.memory.getHealth()).status).toBe('healthy');
      await layer.close();
    }
    expect(said).toEqual([expect.stringContaining(place), expect.stringContaining(place)]);
    expect(readdirSync(place)).not.toEqual([]);
  });

  test('is named by IZZIE_MEMORY_DIR, in production too', async () => {
    const answer = await report(folder, { IZZIE_MEMORY_DIR: join(folder, 'data'), NODE_ENV: 'production' });
    expect(answer).toMatchObject({ status: 'healthy', created: true });
  });

  test("in 'memory://' leaves nothing behind", async () => {
    const before = readdirSync(folder);
    const layer = api.createMemoryLayer({ embedded: 'memory://', embedder: 'none', logger: {} });
    expect((await layer.memory.store(ENTRY)).metadata.created).toBe(true);
    expect(await layer.memory.getAll('ada')).toHaveLength(1);
    await layer.close();
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('the environment', () => {
  const database = useDatabase();
  let empty;
  let folder;

  beforeAll(async () => {
    empty = await freshDatabase();
    folder = mkdtempSync(join(tmpdir(), 'izzie-environment-'));
  });

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await empty.drop();
  });

  test('DATABASE_URL is the database', async () => {
    const answer = await report(folder, { DATABASE_URL: database.url });
    expect(answer).toMatchObject({
      status: 'healthy',
      created: true,
      graphWriteSuccess: true,
      reasons: [],
    });
    expect(await database.query('select id from memory_entries')).toEqual([{ id: answer.id }]);
  });

  test('DATABASE_DIRECT_URL is where migrations go', async () => {
    const answer = await report(folder, {
      DATABASE_URL: database.url,
      DATABASE_DIRECT_URL: empty.url,
      MIGRATE: '1',
    });
    expect(answer.applied.length).toBeGreaterThan(0);
    expect(await empty.query(`select to_regclass('memory_entries')::text as name`)).toEqual([
      { name: 'memory_entries' },
    ]);
  });

  test.each([
    ['NODE_ENV', 'production'],
    ['NEXT_PHASE', 'phase-production-build'],
  ])('with %s=%s and no database it is NOT_CONFIGURED', async (name, value) => {
    const before = readdirSync(folder);
    expect(await report(folder, { [name]: value })).toMatchObject({
      reason: 'NOT_CONFIGURED',
      status: 'unhealthy',
    });
    expect(await report(folder, { [name]: value, DATABASE_URL: '' })).toMatchObject({
      reason: 'NOT_CONFIGURED',
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  test('NEO4J_… is the graph', async () => {
    const answer = await report(folder, {
      DATABASE_URL: database.url,
      NEO4J_URI: 'bolt://127.0.0.1:1',
      NEO4J_PASSWORD: 'p',
    });
    expect(answer).toMatchObject({ status: 'degraded', created: true });
  });

  test('OPENROUTER_API_KEY or OPENAI_API_KEY is an embedder', async () => {
    // A database of its own: the offline model has made its space the current one of the other.
    await report(folder, { DATABASE_URL: empty.url, MIGRATE: '1' });
    for (const name of ['OPENROUTER_API_KEY', 'OPENAI_API_KEY']) {
      const answer = await report(folder, {
        DATABASE_URL: empty.url,
        [name]: 'canary-key',
        OWN_EMBEDDING: '1',
      });
      expect(answer).toMatchObject({ status: 'healthy', created: true, reasons: [] });
      expect(JSON.stringify(answer)).not.toContain('canary');
    }
  });
});
