// What each method asks of the core, and what it makes of the answer.
import { createRequire } from 'node:module';
import { beforeEach, describe, expect, test } from 'vitest';

const { MEMORY, WRITE, envelope, loadFacade, rejection } = createRequire(import.meta.url)(
  './fake-native.cjs',
);
const ID = MEMORY.id;
const ENTRY = { userId: 'ada', content: 'Lunch with Grace' };
let answer;
let facade;
let layer;

/** The request that the last call made. */
const asked = () => facade.layers.at(-1).requests.at(-1);

beforeEach(() => {
  facade = loadFacade({ answer: (...args) => (typeof answer === 'function' ? answer(...args) : answer) });
  layer = facade.createMemoryLayer({ databaseUrl: 'postgres://db', persistence: { graphWaitMs: 9 } });
});

function fail(...args) {
  answer = () => {
    throw rejection(...args);
  };
}

describe('memory.store', () => {
  beforeEach(() => {
    answer = { memory: { ...MEMORY, metadata: { topic: 'lunch' } }, write: WRITE };
  });

  test('sends entry and options together, the embedding beside', async () => {
    const createdAt = new Date('2026-01-02T03:04:05.678Z');
    const options = { id: ID, importance: 7, createdAt, embedding: [1, 2], entities: [], defer: false };
    await layer.memory.store({ ...ENTRY, metadata: { topic: 'lunch', created: true } }, options);
    expect(asked()).toEqual({
      op: 'store',
      args: {
        ...ENTRY,
        id: ID,
        importance: 7,
        createdAt: '2026-01-02T03:04:05.678Z',
        entities: [],
        defer: false,
        metadata: { topic: 'lunch' },
      },
      embedding: new Float32Array([1, 2]),
      callId: 1,
    });
  });

  test('leaves it to the core to refuse options it does not know', async () => {
    await layer.memory.store(ENTRY, { importence: 7 });
    expect(asked().args.importence).toBe(7);
  });

  test('returns an entry with Dates and the copies in its metadata', async () => {
    const entry = await layer.memory.store(ENTRY);
    expect(entry).toEqual({
      id: ID,
      userId: 'ada',
      content: 'Lunch with Grace',
      importance: 5,
      accessCount: 0,
      revision: 17,
      entities: MEMORY.entities,
      createdAt: new Date('2026-01-02T03:04:05.678Z'),
      updatedAt: new Date('2026-01-02T03:04:06.000Z'),
      metadata: {
        topic: 'lunch',
        importance: 5,
        accessCount: 0,
        entityCount: 1,
        vectorWriteSuccess: true,
        graphWriteSuccess: true,
        created: true,
      },
    });
    expect(entry.createdAt).toBeInstanceOf(Date);
  });

  test('returns a conversation, a summary and no word of a graph that is not there', async () => {
    answer = {
      memory: { ...MEMORY, conversationId: 'conv-456', summary: 'short' },
      write: { ...WRITE, created: false, graphWriteSuccess: null },
    };
    const entry = await layer.memory.store(ENTRY);
    expect(entry).toMatchObject({ conversationId: 'conv-456', summary: 'short' });
    expect(entry.metadata).toMatchObject({ summary: 'short', created: false });
    expect(entry.metadata).not.toHaveProperty('graphWriteSuccess');
  });

  test.each([
    ['an entry that is no object', ['text'], 'entry'],
    ['an unknown member of the entry', [{ ...ENTRY, importance: 7 }], 'entry.importance'],
    ['options that are no object', [ENTRY, 7], 'options'],
    ['null as options', [ENTRY, null], 'options'],
    ['another user in the options', [ENTRY, { userId: 'eve' }], 'options.userId'],
    ['metadata in the options', [ENTRY, { metadata: {} }], 'options.metadata'],
    ['metadata that is no JSON', [{ ...ENTRY, metadata: { a: 1n } }], 'metadata.a'],
    ['an embedding that is none', [ENTRY, { embedding: 'x' }], 'embedding'],
    ['NaN as importance', [ENTRY, { importance: Number.NaN }], 'importance'],
  ])('rejects %s before the layer is opened', async (_name, args, field) => {
    await expect(layer.memory.store(...args)).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { field },
    });
    expect(facade.layers).toEqual([]);
  });

  test('rejects with the error of the core, with a stack that names the caller', async () => {
    fail('VectorStoreError', 'UNAVAILABLE', { host: 'db' });
    await facade.configure({ databaseUrl: 'postgres://db' });
    const { signal } = new AbortController();
    const theCaller = async () => await facade.enhancedMemoryService.store(ENTRY, { signal });
    const error = await theCaller().catch((caught) => caught);
    expect(error).toBeInstanceOf(facade.VectorStoreError);
    expect(error).toMatchObject({ reason: 'UNAVAILABLE', details: { host: 'db' }, retryable: true });
    expect(error.stack).toContain('theCaller');
  });
});

describe('the other methods of memory', () => {
  test('retrieve', async () => {
    answer = [{ ...MEMORY, similarity: 0, score: 1.5 }, MEMORY];
    const found = await layer.memory.retrieve('ada', 'lunch', { limit: 2, threshold: 0, mode: 'vector' });
    const args = { userId: 'ada', query: 'lunch', limit: 2, threshold: 0, mode: 'vector' };
    expect(asked()).toMatchObject({ op: 'retrieve', args });
    expect(found[0]).toMatchObject({ similarity: 0, score: 1.5, metadata: { similarity: 0 } });
    expect(found[1]).not.toHaveProperty('similarity');
    expect(found[1].metadata).toEqual({ importance: 5, accessCount: 0, entityCount: 1 });
    await expect(layer.memory.retrieve('ada', 'lunch', { userId: 'eve' })).rejects.toThrow(
      /^options\.userId: /,
    );
  });

  test('update', async () => {
    answer = { memory: MEMORY, write: { ...WRITE, graphWriteSuccess: false } };
    const updates = {
      content: 'new',
      metadata: { a: 1, summary: 's' },
      metadataPatch: { b: 2, created: true },
    };
    const entry = await layer.memory.update(ID, updates, { userId: 'ada', expectedRevision: 16 });
    const args = {
      id: ID,
      userId: 'ada',
      expectedRevision: 16,
      content: 'new',
      metadata: { a: 1 },
      metadataPatch: { b: 2 },
    };
    expect(asked()).toMatchObject({ op: 'update', args, embedding: null });
    expect(entry.metadata.graphWriteSuccess).toBe(false);
    expect(entry.metadata).not.toHaveProperty('created');
    answer = { memory: null, write: WRITE };
    expect(await layer.memory.update(ID, {})).toBeNull();
    expect(asked().args).toEqual({ id: ID });
  });

  test.each([
    [{ userId: 'eve' }, undefined, 'updates.userId'],
    [{ id: 'other' }, undefined, 'updates.id'],
    [{ contents: 'c' }, undefined, 'updates.contents'],
    [{}, { user: 'ada' }, 'call.user'],
    [{}, 'ada', 'call'],
  ])('update refuses %j, %j', async (updates, call, field) => {
    await expect(layer.memory.update(ID, updates, call)).rejects.toMatchObject({ details: { field } });
  });

  test('delete', async () => {
    answer = { write: WRITE };
    const options = { hard: true, cascadeGraph: false, userId: 'ada', expectedRevision: 16 };
    expect(await layer.memory.delete(ID, options)).toBeUndefined();
    const args = { id: ID, ...options };
    expect(asked()).toMatchObject({ op: 'delete', args });
    await expect(layer.memory.delete(ID, { id: 'other' })).rejects.toThrow(/^options\.id: /);
  });

  test('a revision that is not the expected one', async () => {
    const details = { id: ID, expected: 16, actual: 17, current: MEMORY };
    fail('PersistenceError', 'REVISION_CONFLICT', details);
    const conflict = { reason: 'REVISION_CONFLICT', code: 'REVISION_CONFLICT', details, retryable: false };
    await expect(layer.memory.update(ID, {}, { expectedRevision: 16 })).rejects.toMatchObject(conflict);
    await expect(layer.persistence.delete({ id: ID, expectedRevision: 16 })).rejects.toMatchObject(conflict);
    expect(asked().args).toEqual({ id: ID, expectedRevision: 16 });
  });

  test('restore', async () => {
    answer = { memory: MEMORY, write: { ...WRITE, graphWriteSuccess: false } };
    const entry = await layer.memory.restore(ID, { userId: 'ada' });
    expect(asked()).toMatchObject({ op: 'restore', args: { id: ID, userId: 'ada' } });
    expect(entry).toMatchObject({ id: ID, metadata: { graphWriteSuccess: false } });
    expect(entry.createdAt).toEqual(new Date(MEMORY.createdAt));
    answer = { memory: null, write: WRITE };
    expect(await layer.memory.restore(ID)).toBeNull();
  });

  test('deleteAll', async () => {
    answer = { deleted: 3, pending: 1 };
    expect(await layer.memory.deleteAll('ada', { hard: true })).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'deleteAll', args: { userId: 'ada', hard: true } });
    await expect(layer.memory.deleteAll('ada', { hard: true, userId: 'eve' })).rejects.toThrow(
      /^options\.userId: /,
    );
  });

  test('purgeDeleted', async () => {
    answer = { purged: 2 };
    const olderThan = new Date('2026-01-02T03:04:05.678Z');
    expect(await layer.memory.purgeDeleted({ olderThan, userId: 'ada' })).toEqual(answer);
    const args = { olderThan: '2026-01-02T03:04:05.678Z', userId: 'ada' };
    expect(asked()).toMatchObject({ op: 'purgeDeleted', args });
  });

  test('getById', async () => {
    answer = MEMORY;
    expect((await layer.memory.getById(ID, { userId: 'ada' })).createdAt).toEqual(new Date(MEMORY.createdAt));
    expect(asked()).toMatchObject({ op: 'getById', args: { id: ID, userId: 'ada' } });
    answer = null;
    expect(await layer.memory.getById(ID)).toBeNull();
  });

  test('getMany', async () => {
    answer = [MEMORY];
    expect(await layer.memory.getMany([ID], { userId: 'ada' })).toMatchObject([{ id: ID }]);
    expect(asked()).toMatchObject({ op: 'getMany', args: { ids: [ID], userId: 'ada' } });
  });

  test('getAll', async () => {
    answer = [MEMORY];
    expect(await layer.memory.getAll('ada', { limit: 3, conversationId: 'c' })).toMatchObject([{ id: ID }]);
    expect(asked()).toMatchObject({ op: 'getAll', args: { userId: 'ada', limit: 3, conversationId: 'c' } });
  });

  test('search', async () => {
    const explain = { words: 1 };
    answer = { items: [{ ...MEMORY, score: 1, explain }], nextCursor: 'c2' };
    const since = new Date('2026-01-02T03:04:05.678Z');
    const page = await layer.memory.search('ada', 'lunch', { since, cursor: 'c1', explain: true });
    expect(page).toMatchObject({ items: [{ id: ID, explain }], nextCursor: 'c2' });
    expect(page.items[0].createdAt).toBeInstanceOf(Date);
    const args = { userId: 'ada', query: 'lunch', since: since.toISOString(), cursor: 'c1', explain: true };
    expect(asked()).toMatchObject({ op: 'search', args });
  });

  test('list', async () => {
    answer = { items: [MEMORY], nextCursor: null };
    expect(await layer.memory.list('ada', { limit: 3 })).toMatchObject({
      items: [{ id: ID }],
      nextCursor: null,
    });
    expect(asked()).toMatchObject({ op: 'list', args: { userId: 'ada', limit: 3 } });
  });

  test('iterate reads a page when the one before is consumed', async () => {
    const pages = [
      { items: [MEMORY, MEMORY], nextCursor: 'c1' },
      { items: [MEMORY], nextCursor: null },
    ];
    let calls = 0;
    answer = () => pages[calls++];
    const seen = [];
    for await (const { id } of layer.memory.iterate('ada', { pageSize: 2 })) seen.push([id, calls]);
    expect(seen).toEqual([
      [ID, 1],
      [ID, 1],
      [ID, 2],
    ]);
    expect(asked()).toMatchObject({ op: 'list', args: { userId: 'ada', limit: 2, cursor: 'c1' } });
  });

  test('getStats', async () => {
    answer = { total: 2, byConversation: { c: 2 }, avgImportance: 5.5, totalAccesses: 1 };
    expect(await layer.memory.getStats('ada')).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'memoryStats', args: { userId: 'ada' } });
  });
});

describe('persistence', () => {
  test('store resolves to the row and how the write went', async () => {
    answer = { memory: { ...MEMORY, lastAccessedAt: MEMORY.updatedAt, metadata: { a: 1 } }, write: WRITE };
    const result = await layer.persistence.store({
      ...ENTRY,
      metadata: { a: 1, entityCount: 3 },
      embedding: [1],
    });
    expect(asked()).toMatchObject({ op: 'store', args: { ...ENTRY, metadata: { a: 1 } } });
    expect(asked().embedding).toEqual(new Float32Array([1]));
    const { entities, relationships, ...columns } = MEMORY;
    const date = (text) => new Date(text);
    expect(result).toEqual({
      success: true,
      data: {
        ...columns,
        metadata: { a: 1 },
        lastAccessedAt: date(MEMORY.updatedAt),
        createdAt: date(MEMORY.createdAt),
        updatedAt: date(MEMORY.updatedAt),
      },
      metadata: {
        vectorWriteSuccess: true,
        graphWriteSuccess: true,
        timestamp: date(WRITE.timestamp),
        duration: 1.5,
      },
    });
  });

  test('store succeeds with an error when the graph is owed', async () => {
    const graphError = envelope('GraphStoreError', 'UNAVAILABLE');
    answer = { memory: MEMORY, write: { ...WRITE, graphWriteSuccess: false, graphError } };
    const result = await layer.persistence.store(ENTRY);
    expect(result).toMatchObject({ success: true, metadata: { graphWriteSuccess: false } });
    expect(result.error).toBeInstanceOf(facade.GraphStoreError);
    expect(result.error.reason).toBe('UNAVAILABLE');
  });

  test('says nothing of a graph that is not there', async () => {
    answer = { write: { ...WRITE, graphWriteSuccess: null } };
    const result = await layer.persistence.delete({ id: ID });
    expect(result).toMatchObject({ success: true });
    expect(result).not.toHaveProperty('data');
    expect(result.metadata).not.toHaveProperty('graphWriteSuccess');
  });

  test.each([
    ['store', ENTRY],
    ['update', { id: ID }],
    ['delete', { id: ID }],
  ])('%s rejects with the typed error when nothing was written', async (method, request) => {
    for (const [name, reason] of [
      ['VectorStoreError', 'UNAVAILABLE'],
      ['VectorStoreError', 'OUTCOME_UNKNOWN'],
      ['GraphStoreError', 'ROLLED_BACK'],
      ['PersistenceError', 'ID_CONFLICT'],
    ]) {
      fail(name, reason, { told: true });
      const error = await layer.persistence[method](request).catch((caught) => caught);
      expect(error).toBeInstanceOf(facade[name]);
      expect(error).toMatchObject({ name, reason, details: { told: true } });
    }
  });

  test.each([['store'], ['update'], ['delete']])('%s rejects for bad arguments', async (method) => {
    for (const request of ['text', null, { id: 1n }]) {
      await expect(layer.persistence[method](request)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    }
  });

  test('update of what is not there resolves with NOT_FOUND', async () => {
    answer = { memory: null, write: WRITE };
    const result = await layer.persistence.update({ id: ID, summary: 's' });
    expect(result).toEqual({
      success: false,
      error: expect.any(facade.PersistenceError),
      metadata: {
        vectorWriteSuccess: false,
        graphWriteSuccess: false,
        timestamp: expect.any(Date),
        duration: expect.any(Number),
      },
    });
    expect(result.error).toMatchObject({ code: 'NOT_FOUND', reason: 'NOT_FOUND', details: { id: ID } });
  });

  test("sends the object's own configuration over the layer's", async () => {
    answer = { write: WRITE };
    const { configure, PersistenceService, persistenceService } = facade;
    await configure({ databaseUrl: 'postgres://db', persistence: { graphWaitMs: 9, retryAttempts: 5 } });
    const own = { retryAttempts: 1, retryDelayMs: undefined, conflictStrategy: 'merge' };
    await new PersistenceService(own).delete({ id: ID });
    expect(asked().persistence).toEqual({ graphWaitMs: 9, retryAttempts: 1, conflictStrategy: 'merge' });
    await persistenceService.delete({ id: ID });
    expect(asked()).not.toHaveProperty('persistence');
    await new PersistenceService({ enableGraphStore: false }).getHealth();
    expect(asked()).toMatchObject({ op: 'health', persistence: { graphWaitMs: 9, enableGraphStore: false } });
  });

  test.each([
    [{ retries: 1 }, 'config.retries'],
    [{ conflictStrategy: 'callback' }, 'config.conflictStrategy'],
    [{ conflictStrategy: () => 'merge' }, 'config.conflictStrategy'],
    [null, 'config'],
  ])('cannot be made with %j', (config, field) => {
    const make = () => new facade.PersistenceService(config);
    expect(make).toThrow(expect.objectContaining({ reason: 'INVALID_ARGUMENT', details: { field } }));
  });

  test('has the defaults of the core', () => {
    const { DEFAULT_PERSISTENCE_CONFIG } = facade;
    expect(DEFAULT_PERSISTENCE_CONFIG).toEqual({
      enableVectorStore: true,
      enableGraphStore: true,
      enableAutoSync: false,
      syncIntervalMs: 300_000,
      conflictStrategy: 'vector_wins',
      rollbackOnPartialFailure: false,
      retryAttempts: 3,
      retryDelayMs: 1000,
      graphWaitMs: 500,
    });
    expect(Object.isFrozen(DEFAULT_PERSISTENCE_CONFIG)).toBe(true);
  });
});

describe('getHealth', () => {
  const status = (more) => ({ available: true, healthy: true, lastCheck: WRITE.timestamp, ...more });
  const health = {
    status: 'degraded',
    stores: { vectorStore: status(), graphStore: status({ healthy: false, error: 'away' }) },
    lastSync: WRITE.timestamp,
    metrics: { totalMemories: 4, vectorStoreCount: 4, graphStoreCount: 2, syncPercentage: 50 },
    reasons: [{ code: 'GRAPH_AWAY', message: 'away' }],
  };

  test('returns Dates', async () => {
    answer = health;
    for (const service of [layer.memory, layer.persistence]) {
      const found = await service.getHealth();
      expect(found.lastSync).toEqual(new Date(WRITE.timestamp));
      expect(found.stores.graphStore).toEqual({
        available: true,
        healthy: false,
        lastCheck: new Date(WRITE.timestamp),
        error: 'away',
      });
      expect(found).toMatchObject({ status: 'degraded', metrics: health.metrics, reasons: health.reasons });
    }
    answer = { ...health, lastSync: undefined };
    expect(await layer.memory.getHealth()).not.toHaveProperty('lastSync');
  });

  test('never rejects: what cannot start is unhealthy and says why', async () => {
    const { createMemoryLayer } = facade;
    const { memory } = createMemoryLayer({ embedded: false, databaseUrl: undefined });
    const before = process.env.DATABASE_URL;
    delete process.env.DATABASE_URL;
    const found = await memory.getHealth();
    if (before !== undefined) process.env.DATABASE_URL = before;
    expect(found).toMatchObject({
      status: 'unhealthy',
      stores: {
        vectorStore: { available: false, healthy: false, error: expect.stringContaining('DATABASE_URL') },
        graphStore: { available: false, healthy: false, lastCheck: expect.any(Date) },
      },
      metrics: {
        totalMemories: null,
        vectorStoreCount: null,
        graphStoreCount: null,
        syncPercentage: null,
      },
      reasons: [{ code: 'NOT_CONFIGURED', message: expect.any(String) }],
    });
  });
});

test('the demo can ask for what the public services do not offer', async () => {
  await facade.configure({ databaseUrl: 'postgres://db' });
  answer = [{ weight: 3 }];
  expect(await facade.internal.databaseUrl()).toBe('postgres://db');
  expect(await facade.internal.invoke('strongestRelations', { userId: 'ada' })).toEqual([{ weight: 3 }]);
});
