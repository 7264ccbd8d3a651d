// graphService as callers meet it; what it tells in detail is tested in tests/graph_queries.rs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onBothGraphs, rejection, useDatabase, useGraph } from '../support.mjs';

const GRACE = { type: 'person', value: 'Grace Hopper' };
const ADA = { type: 'person', value: 'Ada' };
const RAND = { type: 'company', value: 'Remington Rand' };
const WORKS_FOR = {
  fromType: 'person',
  fromValue: 'Grace Hopper',
  toType: 'company',
  toValue: 'Remington Rand',
  relationshipType: 'WORKS_FOR',
  confidence: 0.75,
};

onBothGraphs('the entities of the %s graph', (kind) => {
  const database = useGraph(kind);
  let layer;
  let lunch;
  let talk;

  beforeAll(async () => {
    layer = database.layer();
    const store = (content, options) => layer.memory.store({ userId: 'ada', content }, options);
    lunch = await store('Lunch', {
      entities: [ADA, GRACE],
      relationships: [WORKS_FOR],
      createdAt: new Date('2026-01-02T03:04:05.678Z'),
    });
    talk = await store('Talk', { entities: [GRACE], createdAt: new Date('2026-02-03T04:05:06.789Z') });
  });

  test('are found by name, by part of it and by frequency, with Dates', async () => {
    const { graph } = layer;
    const grace = {
      type: 'person',
      name: 'Grace Hopper',
      normalized: 'grace hopper',
      frequency: 2,
      confidence: 1,
      firstSeen: lunch.createdAt,
      lastSeen: talk.createdAt,
    };
    expect(await graph.getEntity('ada', { type: 'person', value: 'GRACE  Hopper' })).toEqual(grace);
    expect(await graph.getEntity('ada', { type: 'company', value: 'Grace Hopper' })).toBeNull();
    expect(await graph.searchEntities('ada', 'hop')).toEqual([grace]);
    expect(await graph.getTopEntities('ada', { limit: 1 })).toEqual([grace]);
    const names = (await graph.getTopEntities('ada', { types: undefined })).map(({ name }) => name);
    expect(names).toEqual(['Grace Hopper', 'Ada', 'Remington Rand']);
  });

  test('lead to others, with what joins them', async () => {
    const related = await layer.graph.getRelatedEntities('ada', GRACE);
    expect(related).toMatchObject([
      {
        entity: { name: 'Remington Rand', firstSeen: lunch.createdAt },
        relationship: 'WORKS_FOR',
        direction: 'out',
        weight: 1,
        confidence: 0.75,
      },
      { entity: { name: 'Ada' }, relationship: 'CO_OCCURS', direction: 'none', weight: 1 },
      { entity: { name: 'Remington Rand' }, relationship: 'CO_OCCURS', direction: 'none', weight: 1 },
    ]);
    expect(related[1]).not.toHaveProperty('confidence');
    const path = await layer.graph.findPath('ada', RAND, GRACE);
    expect(path.entities.map(({ name }) => name)).toEqual(['Remington Rand', 'Grace Hopper']);
    expect(path.steps).toEqual([
      { from: 0, to: 1, relationship: 'WORKS_FOR', direction: 'in', memoryIds: [lunch.id] },
    ]);
    expect(await layer.graph.findPath('ada', GRACE, { type: 'topic', value: 'none' })).toBeNull();
  });

  test('lead to the memories, a page at a time', async () => {
    const first = await layer.graph.getMemoriesForEntity('ada', GRACE, { limit: 1 });
    expect(first.items).toEqual(await layer.memory.getMany([talk.id]));
    const second = await layer.graph.getMemoriesForEntity('ada', GRACE, {
      limit: 1,
      cursor: first.nextCursor,
    });
    expect(second).toEqual({ items: await layer.memory.getMany([lunch.id]), nextCursor: null });
  });

  test('are counted', async () => {
    const stats = await layer.graph.getEntityStats('ada');
    expect(stats).toMatchObject({ total: 3, mentions: 4, byType: { person: 2, company: 1, tool: 0 } });
    expect(stats.relationships).toMatchObject({ WORKS_FOR: 1, LEADS: 0 });
  });

  test('belong to their user', async () => {
    const { graph } = layer;
    expect(await graph.getEntity('alan', GRACE)).toBeNull();
    expect(await graph.searchEntities('alan', 'grace')).toEqual([]);
    expect(await graph.getTopEntities('alan')).toEqual([]);
    expect(await graph.getRelatedEntities('alan', GRACE)).toEqual([]);
    expect(await graph.getMemoriesForEntity('alan', GRACE)).toEqual({ items: [], nextCursor: null });
    expect(await graph.findPath('alan', GRACE, RAND)).toBeNull();
    expect(await graph.getEntityStats('alan')).toMatchObject({ total: 0, mentions: 0 });
  });

  test('follow an update and a deletion', async () => {
    const { graph, memory } = layer;
    const { id } = await memory.store({ userId: 'bob', content: 'x' }, { entities: [ADA, GRACE] });
    await memory.update(id, { entities: [ADA] });
    expect(await graph.getEntity('bob', GRACE)).toBeNull();
    expect(await graph.getEntity('bob', ADA)).toMatchObject({ frequency: 1 });
    await memory.delete(id);
    expect(await graph.getTopEntities('bob')).toEqual([]);
    await memory.restore(id);
    expect(await graph.getTopEntities('bob')).toMatchObject([{ name: 'Ada' }]);
  });
});

describe('without a graph', () => {
  const database = useDatabase();

  test('every method says so', async () => {
    const { graph } = database.layer({ graphStore: 'none' });
    for (const call of [
      () => graph.getEntity('ada', GRACE),
      () => graph.searchEntities('ada', 'grace'),
      () => graph.getTopEntities('ada'),
      () => graph.getRelatedEntities('ada', GRACE),
      () => graph.getMemoriesForEntity('ada', GRACE),
      () => graph.findPath('ada', GRACE, RAND),
      () => graph.getEntityStats('ada'),
    ]) {
      expect(await rejection(call())).toMatchObject({ name: 'GraphStoreError', reason: 'NOT_CONFIGURED' });
    }
  });
});

describe('with a Neo4j that is away', () => {
  const database = useDatabase();
  let layer;

  beforeAll(() => {
    const nobody = { uri: 'bolt://127.0.0.1:9', user: 'neo4j', password: 'canary' };
    layer = database.layer({ graphStore: 'neo4j', neo4j: nobody });
  });

  afterAll(() => layer.close());

  test('the graph rejects and the memories are there', async () => {
    const { id } = await layer.memory.store({ userId: 'ada', content: 'x' }, { entities: [GRACE] });
    const error = await rejection(layer.graph.getEntity('ada', GRACE));
    expect(error).toMatchObject({ name: 'GraphStoreError', reason: 'UNAVAILABLE', retryable: true });
    expect(JSON.stringify(error)).not.toContain('canary');
    expect(await layer.memory.getMany([id])).toHaveLength(1);
  });
});
