// PersistenceService and the persistence options.
import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rejection, tableEmbedder, useDatabase } from './support.mjs';

const EMBEDDER = tableEmbedder({ 'Lunch with Grace': [1, 0, 0], Dinner: [0, 1, 0], lunch: [1, 0, 0] });
const ENTRY = { userId: 'ada', content: 'Lunch with Grace' };

describe('PersistenceService', () => {
  const database = useDatabase();
  let persistence;

  beforeAll(() => {
    ({ persistence } = database.layer({ embedder: EMBEDDER }));
  });

  test('store answers with the row and how it went', async () => {
    const result = await persistence.store({ ...ENTRY, metadata: { a: 1 }, importance: 2, summary: 's' });
    expect(result).toEqual({
      success: true,
      data: {
        id: expect.any(String),
        userId: 'ada',
        conversationId: null,
        content: ENTRY.content,
        summary: 's',
        metadata: { a: 1 },
        importance: 2,
        accessCount: 0,
        lastAccessedAt: null,
        isDeleted: false,
        createdAt: expect.any(Date),
        updatedAt: expect.any(Date),
        revision: expect.any(Number),
      },
      metadata: {
        vectorWriteSuccess: true,
        graphWriteSuccess: true,
        timestamp: expect.any(Date),
        duration: expect.any(Number),
      },
    });
    expect(result.metadata.duration).toBeGreaterThan(0);
  });

  test('update answers with the new row', async () => {
    const { data } = await persistence.store(ENTRY);
    const result = await persistence.update({ id: data.id, userId: 'ada', content: 'Dinner' });
    expect(result).toMatchObject({ success: true, data: { id: data.id, content: 'Dinner' } });
    expect(result.data.revision).toBeGreaterThan(data.revision);
  });

  test.each([
    ['store', { ...ENTRY, content: '' }, 'content'],
    ['store', { ...ENTRY, importance: 0 }, 'importance'],
    ['update', { id: 'x', importance: 99 }, 'importance'],
    ['delete', { id: 'x', userId: '' }, 'userId'],
    ['store', undefined, undefined],
    ['update', undefined, undefined],
    ['delete', undefined, undefined],
  ])('%s of %o rejects, as the original documentation catches it', async (method, request, field) => {
    const before = await database.query('select count(*) from memory_entries');
    const error = await rejection(persistence[method](request));
    expect(error).toBeInstanceOf(api.PersistenceError);
    expect(error.reason).toBe('INVALID_ARGUMENT');
    if (field) expect(error.details.field).toBe(field);
    expect(await database.query('select count(*) from memory_entries')).toEqual(before);
  });

  test('refuses unknown options, and functions, which are the layer’s, where it is made', () => {
    expect(() => new api.PersistenceService({ enableGrapStore: true })).toThrow(/enableGrapStore/);
    const conflictStrategy = () => 'merge';
    expect(() => new api.PersistenceService({ conflictStrategy })).toThrow(/conflictStrategy/);
    expect(() => new api.PersistenceService({ ...api.DEFAULT_PERSISTENCE_CONFIG })).not.toThrow();
  });

  test('the defaults are the documented ones, and frozen', () => {
    expect(api.DEFAULT_PERSISTENCE_CONFIG).toEqual({
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
    expect(Object.isFrozen(api.DEFAULT_PERSISTENCE_CONFIG)).toBe(true);
  });

  test.each([
    ['graphWaitMs', -1],
    ['graphWaitMs', '500'],
    ['retryAttempts', 1.5],
    ['retryDelayMs', Number.NaN],
    ['enableGraphStore', 'no'],
    ['rollbackOnPartialFailure', 1],
  ])('%s: %j is refused by name', async (option, value) => {
    const layer = database.layer({ persistence: { [option]: value } });
    const error = await rejection(layer.persistence.store(ENTRY));
    expect(error.reason).toBe('INVALID_ARGUMENT');
    expect(error.details.field).toBe(`persistence.${option}`);
  });
});

describe('the default layer', () => {
  const database = useDatabase();

  beforeAll(async () => {
    await api.shutdown();
    await api.configure({ databaseUrl: database.url, graphStore: 'postgres', embedder: EMBEDDER });
  });

  afterAll(() => api.shutdown());

  test("an object's own options go before the layer's", async () => {
    const service = new api.PersistenceService({ enableGraphStore: false });
    const without = await service.store(ENTRY);
    expect(without.metadata).not.toHaveProperty('graphWriteSuccess');
    const plain = await api.persistenceService.store(ENTRY);
    expect(plain.metadata.graphWriteSuccess).toBe(true);
    await service.close();
    expect((await service.getHealth()).status).toBe('healthy');
  });

  test('explicit undefined means the default', async () => {
    const undefineds = Object.fromEntries(
      Object.keys(api.DEFAULT_PERSISTENCE_CONFIG).map((key) => [key, undefined]),
    );
    const result = await new api.PersistenceService(undefineds).store({
      ...ENTRY,
      metadata: undefined,
      id: undefined,
      idempotencyKey: undefined,
      conversationId: undefined,
      importance: undefined,
      summary: undefined,
      createdAt: undefined,
      extractEntities: undefined,
      entities: undefined,
      relationships: undefined,
      embedding: undefined,
      defer: undefined,
      signal: undefined,
    });
    expect(result.metadata).toMatchObject({ vectorWriteSuccess: true, graphWriteSuccess: true });
    expect(result.data).toMatchObject({ importance: 5, summary: null, conversationId: null, metadata: {} });
    expect(await database.debts()).toEqual([]);
  });
});

describe('enableVectorStore: false', () => {
  const database = useDatabase();

  test('stores without an embedding, found by text and held by the graph', async () => {
    const embedder = {
      ...EMBEDDER,
      embed() {
        throw new Error('must not be asked to embed what is stored');
      },
    };
    const { memory, persistence } = database.layer({ embedder, persistence: { enableVectorStore: false } });
    const { data, metadata } = await persistence.store({ ...ENTRY, embedding: [1, 0, 0] });
    expect(metadata).toMatchObject({ vectorWriteSuccess: true, graphWriteSuccess: true });
    expect(await database.query('select * from izzie_memory.memory_vectors')).toEqual([]);
    expect(await database.query('select embedding from memory_entries')).toEqual([{ embedding: null }]);
    expect(await database.debts()).toEqual([]);
    expect((await memory.retrieve('ada', 'lunch')).map(({ id }) => id)).toEqual([data.id]);
    expect((await memory.getHealth()).status).toBe('healthy');
    await memory.update(data.id, { content: 'Dinner' });
    expect(await database.debts()).toEqual([]);
  });
});

describe('enableGraphStore: false', () => {
  const database = useDatabase();

  test('owes the graph nothing, and health is not degraded', async () => {
    const { memory, persistence } = database.layer({
      embedder: EMBEDDER,
      persistence: { enableGraphStore: false },
    });
    const { success, data, metadata } = await persistence.store(ENTRY);
    expect(success).toBe(true);
    expect(metadata).not.toHaveProperty('graphWriteSuccess');
    await persistence.update({ id: data.id, content: 'Dinner' });
    const other = await memory.store(ENTRY);
    expect(other.metadata).not.toHaveProperty('graphWriteSuccess');
    await memory.delete(other.id, { hard: true });
    expect(await database.query('select * from izzie_memory.memory_sync')).toEqual([]);
    const health = await memory.getHealth();
    expect(health).toMatchObject({
      status: 'healthy',
      reasons: [],
      stores: { graphStore: { healthy: true } },
    });
  });
});

describe('defer: true', () => {
  const database = useDatabase();
  const targets = async () => (await database.debts()).map(({ target }) => target);

  test('commits now and owes the rest', async () => {
    const never = () => {
      throw new Error('must not be asked');
    };
    const { memory, sync } = database.layer({
      embedder: { ...EMBEDDER, embed: never },
      extractor: { extract: never },
    });
    const stored = await memory.store(ENTRY, { defer: true });
    expect(stored.metadata).toMatchObject({
      created: true,
      vectorWriteSuccess: true,
      graphWriteSuccess: false,
    });
    expect(stored.entities).toEqual([]);
    expect(await targets()).toEqual(['embedding', 'extraction', expect.stringMatching(/^postgres/)]);
    expect((await memory.retrieve('ada', 'lunch', { mode: 'text' })).map(({ id }) => id)).toEqual([
      stored.id,
    ]);
    expect(await sync.getStats()).toMatchObject({ pending: 1 });
    expect(await sync.fullSync()).toMatchObject({ pending: 0 });
    expect(await targets()).toEqual(['embedding', 'extraction']);
  });

  test('what is given is not owed', async () => {
    const { memory } = database.layer({ embedder: EMBEDDER });
    const given = { embedding: [1, 0, 0], entities: [{ type: 'person', value: 'Grace' }] };
    const { id, entities } = await memory.store(ENTRY, { defer: true, ...given });
    expect(entities).toHaveLength(1);
    const debts = (await database.debts()).filter((debt) => debt.memory_id === id);
    expect(debts.map(({ target }) => target)).toHaveLength(1);
    expect(['embedding', 'extraction']).not.toContain(debts[0].target);
  });
});
