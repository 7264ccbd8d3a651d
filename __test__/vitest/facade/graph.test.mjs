// What each method of graph asks of the core, and what it makes of the answer.
import { createRequire } from 'node:module';
import { beforeEach, describe, expect, test } from 'vitest';

const { MEMORY, envelope, loadFacade, rejection } = createRequire(import.meta.url)('./fake-native.cjs');
const ISO = '2026-01-02T03:04:05.678Z';
const DATE = new Date(ISO);
const GRACE = { type: 'person', value: 'Grace' };
const RAND = { type: 'company', value: 'Rand' };
const found = { type: 'person', name: 'Grace', normalized: 'grace', frequency: 2, confidence: 1 };
const FOUND = { ...found, firstSeen: ISO, lastSeen: ISO };
const ENTITY = { ...found, firstSeen: DATE, lastSeen: DATE };
let answer;
let facade;
let graph;

/** The request that the last call made. */
const asked = () => facade.layers.at(-1).requests.at(-1);

beforeEach(() => {
  facade = loadFacade({ answer: () => (typeof answer === 'function' ? answer() : answer) });
  ({ graph } = facade.createMemoryLayer({ databaseUrl: 'postgres://db' }));
});

describe('graph', () => {
  test('getEntity', async () => {
    answer = FOUND;
    expect(await graph.getEntity('ada', GRACE)).toEqual(ENTITY);
    expect(asked()).toMatchObject({ op: 'getEntity', args: { userId: 'ada', entity: GRACE } });
    answer = null;
    expect(await graph.getEntity('ada', GRACE)).toBeNull();
  });

  test.each([
    ['searchEntities', ['ada', 'gra'], { userId: 'ada', text: 'gra' }],
    ['getTopEntities', ['ada'], { userId: 'ada' }],
  ])('%s', async (method, positional, args) => {
    answer = [FOUND, FOUND];
    const options = { types: ['person'], limit: 2 };
    expect(await graph[method](...positional, options)).toEqual([ENTITY, ENTITY]);
    expect(asked()).toMatchObject({ op: method, args: { ...args, ...options } });
    await graph[method](...positional);
    expect(asked().args).toEqual(args);
  });

  test('getRelatedEntities', async () => {
    const related = { relationship: 'LEADS', direction: 'in', weight: 3, confidence: 0.5 };
    answer = [{ ...related, entity: FOUND }];
    const options = { types: ['person'], relationshipTypes: ['LEADS', 'CO_OCCURS'], limit: 2 };
    expect(await graph.getRelatedEntities('ada', GRACE, options)).toEqual([{ ...related, entity: ENTITY }]);
    const args = { userId: 'ada', entity: GRACE, ...options };
    expect(asked()).toMatchObject({ op: 'getRelatedEntities', args });
  });

  test('getMemoriesForEntity', async () => {
    answer = { items: [MEMORY], nextCursor: 'next' };
    const page = await graph.getMemoriesForEntity('ada', GRACE, { limit: 1, cursor: 'this' });
    expect(page).toMatchObject({ items: [{ id: MEMORY.id, createdAt: DATE }], nextCursor: 'next' });
    const args = { userId: 'ada', entity: GRACE, limit: 1, cursor: 'this' };
    expect(asked()).toMatchObject({ op: 'getMemoriesForEntity', args });
  });

  test('findPath', async () => {
    const steps = [{ from: 0, to: 1, relationship: 'LEADS', direction: 'out', memoryIds: [MEMORY.id] }];
    answer = { entities: [FOUND, FOUND], steps };
    expect(await graph.findPath('ada', GRACE, RAND, { maxDepth: 6 })).toEqual({
      entities: [ENTITY, ENTITY],
      steps,
    });
    const args = { userId: 'ada', from: GRACE, to: RAND, maxDepth: 6 };
    expect(asked()).toMatchObject({ op: 'findPath', args });
    answer = null;
    expect(await graph.findPath('ada', GRACE, RAND)).toBeNull();
  });

  test('getEntityStats', async () => {
    answer = { total: 1, byType: { person: 1 }, mentions: 2, relationships: { LEADS: 1 } };
    expect(await graph.getEntityStats('ada')).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'getEntityStats', args: { userId: 'ada' } });
  });

  const METHODS = [
    ['getEntity', GRACE],
    ['searchEntities', 'gra'],
    ['getTopEntities'],
    ['getRelatedEntities', GRACE],
    ['getMemoriesForEntity', GRACE],
    ['findPath', GRACE, RAND],
    ['getEntityStats'],
  ];

  test.each(METHODS)('%s takes a signal, and a user only as its first argument', async (method, ...more) => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(graph[method]('ada', ...more, { signal })).rejects.toThrow('too late');
    const refused = graph[method]('ada', ...more, { userId: 'alan' });
    await expect(refused).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { field: 'options.userId' },
    });
    expect(facade.layers.flatMap(({ requests }) => requests)).toEqual([]);
  });

  test.each(METHODS)('%s rejects as the core does', async (method, ...more) => {
    answer = () => {
      throw rejection('GraphStoreError', 'UNAVAILABLE');
    };
    const error = await graph[method]('ada', ...more).catch((reason) => reason);
    expect(error).toBeInstanceOf(facade.GraphStoreError);
    expect(error).toMatchObject(envelopeOf('UNAVAILABLE'));
  });
});

const envelopeOf = (reason) => {
  const { class: _, ...rest } = envelope('GraphStoreError', reason);
  return rest;
};
