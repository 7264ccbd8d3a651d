// The service of `lib/memory`, as the application's four routes use it, over the same memories as the enhanced one.
import * as api from 'izzie-memory';
import { MemoryService, memoryService } from 'izzie-memory/memory';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProxy } from '../../support/proxy.mjs';
import { onBothGraphs, rejection, useGraph } from '../support.mjs';

const SARAH = { type: 'person', value: 'Sarah Chen' };
const ACME = { type: 'company', value: 'Acme' };
const contents = (memories) => memories.map(({ content }) => content).sort();

onBothGraphs('MemoryService, the graph in %s', (kind) => {
  const database = useGraph(kind);
  let enhanced;

  beforeAll(async () => {
    await api.shutdown();
    const layer = database.layer();
    enhanced = layer.memory;
    const graph = kind === 'neo4j' ? { neo4j: database.neo4j.credentials } : { graphStore: 'postgres' };
    await api.configure({
      databaseUrl: database.url,
      embedder: 'none',
      persistence: { graphWaitMs: 20_000 },
      ...graph,
    });
    await memoryService.store(
      { userId: 'ada', content: 'Sarah leads the Phoenix rollout', metadata: { source: 'mail' } },
      { conversationId: 'conv-1', importance: 9, summary: 'rollout', entities: [SARAH] },
    );
    const about = (content, entities, more) =>
      enhanced.store({ userId: 'ada', content, ...more?.entry }, { entities, ...more?.options });
    await about('The chairs arrive on Monday', [SARAH]);
    await about('Invoices go to the accountant', [SARAH, ACME], { options: { conversationId: 'conv-2' } });
    await about('Nothing of note', []);
    await enhanced.store({ userId: 'bob', content: 'Sarah is away' }, { entities: [SARAH] });
  });

  afterAll(() => api.shutdown());

  test('is the same object by every name', () => {
    expect(memoryService).toBe(api.memoryService);
    expect(MemoryService).toBe(api.MemoryService);
    expect(memoryService).toBeInstanceOf(MemoryService);
  });

  test('store, getById, getAll, retrieve and getStats speak of the same memories as the enhanced service', async () => {
    const [stored] = await memoryService.getAll('ada', { limit: 10, conversationId: 'conv-1' });
    expect(stored).toMatchObject({
      userId: 'ada',
      content: 'Sarah leads the Phoenix rollout',
      summary: 'rollout',
      importance: 9,
      conversationId: 'conv-1',
      metadata: { source: 'mail', importance: 9 },
    });
    expect(stored.createdAt).toBeInstanceOf(Date);
    expect(await memoryService.getById(stored.id)).toMatchObject({ id: stored.id });
    expect(await memoryService.getAll('ada')).toHaveLength(4);
    const found = await memoryService.retrieve('ada', 'Phoenix rollout', {
      limit: 5,
      threshold: 0.7,
      conversationId: 'conv-1',
      minImportance: 8,
    });
    expect(found.map(({ id }) => id)).toEqual([stored.id]);
    expect(await memoryService.getStats('ada')).toEqual(await enhanced.getStats('ada'));
    expect(await memoryService.getById('3f2c0c6e-6b1c-4b53-9c36-0d3a3b1f3a10')).toBeNull();
  });

  test('hybridSearch adds what the graph knows of those whom the query names', async () => {
    const { memories, graphResults, combined, metadata } = await memoryService.hybridSearch(
      'ada',
      'What do we know of sarah and the rollout?',
      { limit: 10, threshold: 0, includeGraph: true },
    );
    expect(contents(memories)).toContain('Sarah leads the Phoenix rollout');
    expect(graphResults.map(({ name }) => name)).toEqual(['Sarah Chen']);
    expect(contents(combined)).toEqual([
      'Invoices go to the accountant',
      'Sarah leads the Phoenix rollout',
      'The chairs arrive on Monday',
    ]);
    expect(new Set(combined.map(({ id }) => id)).size).toBe(combined.length);
    expect(combined.slice(0, memories.length)).toEqual(memories);
    expect(metadata).toEqual({
      vectorResults: memories.length,
      graphResults: 1,
      combinedResults: combined.length,
    });
    expect(
      combined.every(({ userId }) => userId === 'ada'),
      'nothing of others',
    ).toBe(true);
  });

  test('hybridSearch keeps to its filters, and to the store where it is told to', async () => {
    const filtered = await memoryService.hybridSearch('ada', 'Sarah', { conversationId: 'conv-2' });
    expect(contents(filtered.combined)).toEqual(['Invoices go to the accountant']);
    const important = await memoryService.hybridSearch('ada', 'Sarah', { minImportance: 8 });
    expect(contents(important.combined)).toEqual(['Sarah leads the Phoenix rollout']);
    const without = await memoryService.hybridSearch('ada', 'Sarah', { includeGraph: false });
    expect(without.graphResults).toEqual([]);
    expect(without.combined).toEqual(without.memories);
    const nobody = await memoryService.hybridSearch('ada', 'what did they say', {});
    expect(nobody.graphResults).toEqual([]);
  });

  test('delete is soft unless told otherwise', async () => {
    const row = async (id) =>
      (await database.query('select is_deleted from memory_entries where id = $1', [id]))[0];
    const [soft, hard] = [
      await memoryService.store({ userId: 'eve', content: 'soft' }),
      await memoryService.store({ userId: 'eve', content: 'hard' }),
    ];
    expect(await memoryService.delete(soft.id)).toBeUndefined();
    expect(await row(soft.id)).toEqual({ is_deleted: true });
    await memoryService.delete(hard.id, true);
    expect(await row(hard.id)).toBeUndefined();
    expect(await memoryService.getAll('eve')).toEqual([]);
    await memoryService.delete(hard.id, true);
  });

  test('a configuration of its own', async () => {
    const entry = { userId: 'eve', content: 'Grace Hopper called' };
    const plain = new MemoryService({ enableGraph: false, llmModel: 'any' });
    expect((await plain.store(entry)).metadata).not.toHaveProperty('graphWriteSuccess');
    expect(await plain.hybridSearch('eve', 'Grace')).toMatchObject({ graphResults: [] });
    const both = new MemoryService({ enableGraph: true, enableVectorPersistence: true });
    expect((await both.store(entry)).metadata.graphWriteSuccess).toBe(true);
    for (const config of [{ enableGrph: true }, { enableGraph: 'no' }, { llmModel: 1 }])
      expect(() => new MemoryService(config)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test.each([
    ['store without a user', () => memoryService.store({ content: 'c' }), 'userId'],
    [
      'store of importance 0',
      () => memoryService.store({ userId: 'eve', content: 'c' }, { importance: 0 }),
      'importance',
    ],
    ['an unknown option', () => memoryService.store({ userId: 'eve', content: 'c' }, { importence: 1 })],
    ['hybridSearch without a query', () => memoryService.hybridSearch('eve'), 'query'],
    [
      'includeGraph as text',
      () => memoryService.hybridSearch('eve', 'q', { includeGraph: 'yes' }),
      'options.includeGraph',
    ],
    ['delete as text', () => memoryService.delete('x', 'yes'), 'hard'],
  ])('refuses %s', async (_case, call, field) => {
    const error = await rejection(call());
    expect(error).toMatchObject({ name: 'PersistenceError', reason: 'INVALID_ARGUMENT' });
    if (field) expect(error.details.field).toBe(field);
  });
});

describe('MemoryService while Neo4j is away', () => {
  const database = useGraph('neo4j');

  test('hybridSearch goes on, and says what it did without', async () => {
    const proxy = await startProxy(database.neo4j.uri);
    await database.layer().memory.store({ userId: 'ada', content: 'Sarah leads' }, { entities: [SARAH] });
    await api.shutdown();
    await api.configure({
      databaseUrl: database.url,
      embedder: 'none',
      neo4j: { ...database.neo4j.credentials, uri: proxy.url(database.neo4j.uri) },
    });
    try {
      proxy.refuse();
      const { memories, combined, graphResults, metadata } = await memoryService.hybridSearch('ada', 'Sarah');
      expect(contents(memories)).toEqual(['Sarah leads']);
      expect([combined, graphResults]).toEqual([memories, []]);
      expect(metadata.graphUnavailable).toEqual({ code: 'UNAVAILABLE', message: expect.any(String) });
    } finally {
      await api.shutdown();
      await proxy.close();
    }
  });
});
