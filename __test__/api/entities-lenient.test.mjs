// What a model says of entities, however odd: no memory is lost for it, every way in reads it alike, and what was left out
// is told.
import { beforeAll, describe, expect, test } from 'vitest';
import { startOpenAi } from '../support/openai.mjs';
import { rejection, useDatabase } from './support.mjs';

const long = (length) => 'x'.repeat(length);

/** JSON as a model or another program writes it, so that each way in can take it. */
const ODD = [
  { type: 'person', value: 'John Doe', normalized: 'john_doe', confidence: 0.9, source: 'description' },
  { type: 'date', value: 'May 5', source: 'title' },
  {
    type: 'action_item',
    value: 'Send the report',
    priority: 'urgent',
    assignee: ['Ann', '', 5, 'Bob'],
    deadline: 2026,
  },
  { type: 'company', value: 'Acme', confidence: 1.2, importance: 'high', tags: [{ a: 1 }] },
  { type: 'topic', value: 'Weather', confidence: -3 },
  { type: ' Location ', value: ' London\n', confidence: '0.25', context: { a: 1 } },
  {
    type: 'Action-Item',
    value: 'Call Ann',
    confidence: 'high',
    source: '',
    priority: null,
    context: '  now ',
  },
  { type: 'tool', value: long(600), context: long(2500), source: long(200), priority: long(200) },
  { type: 'date', value: 2027, normalized: ['x'], confidence: null, source: 7 },
  { type: 'person', value: 'JOHN  DOE', confidence: 0.95, context: 'the surest of doubles' },
  // Nobody understands these.
  { type: 'dragon', value: 'Smaug' },
  { type: 'person', value: ' ' },
  { type: 'person', value: { first: 'Ada' } },
  { type: 'person' },
  { value: 'Ada' },
  {},
  5,
  null,
  'Ada',
  ['person', 'Ada'],
];

const entity = (type, value, normalized, more) => ({
  type,
  value,
  normalized,
  confidence: 1,
  source: 'body',
  ...more,
});

const KEPT = [
  entity('company', 'Acme', 'acme'),
  entity('location', 'London', 'london', { confidence: 0.25 }),
  entity('person', 'JOHN  DOE', 'john doe', { confidence: 0.95, context: 'the surest of doubles' }),
  entity('tool', long(500), long(500), { context: long(2000), source: long(100), priority: long(100) }),
  entity('date', '2027', '2027', { source: '7' }),
  entity('action_item', 'Call Ann', 'call ann', { context: 'now' }),
  entity('date', 'May 5', 'may 5', { source: 'title' }),
  entity('action_item', 'Send the report', 'send the report', {
    priority: 'urgent',
    assignee: 'Ann, 5, Bob',
    deadline: '2026',
  }),
  entity('topic', 'Weather', 'weather', { confidence: 0 }),
];

const UNKNOWN_TYPE = 'the type is unknown';
const NO_VALUE = 'the value is empty or not a text';
const NO_OBJECT = 'is not an object';
const REJECTED = [
  { index: 10, type: 'dragon', value: 'Smaug', reason: UNKNOWN_TYPE },
  { index: 11, type: 'person', reason: NO_VALUE },
  { index: 12, type: 'person', reason: NO_VALUE },
  { index: 13, type: 'person', reason: NO_VALUE },
  { index: 14, value: 'Ada', reason: UNKNOWN_TYPE },
  { index: 15, reason: UNKNOWN_TYPE },
  ...[16, 17, 18, 19].map((index) => ({ index, reason: NO_OBJECT })),
];

const sorted = (entities) =>
  entities.map(({ ...told }) => told).sort((a, b) => (a.normalized < b.normalized ? -1 : 1));

const RELATIONSHIPS = [
  {
    fromType: 'person',
    fromValue: 'john_doe',
    toType: 'Company',
    toValue: 'ACME',
    relationshipType: 'works for',
    confidence: 7,
  },
  {
    fromType: 'person',
    fromValue: 'Ada',
    toType: 'date',
    toValue: 'May 5',
    relationshipType: 'RELATED_TO',
    because: 1,
  },
  { fromType: 'person', fromValue: 'Ada', toType: 'company', toValue: 'Acme', relationshipType: 'HATES' },
  { fromType: 'dragon', fromValue: 'Smaug', toType: 'company', toValue: 'Acme', relationshipType: 'OWNS' },
  { fromType: 'person', fromValue: 'Ada', toType: 'company', relationshipType: 'WORKS_FOR' },
  7,
];
const RELATIONSHIPS_REJECTED = [
  { index: 2, type: 'HATES', value: 'Ada', reason: 'the relationshipType is unknown' },
  { index: 3, type: 'OWNS', value: 'Smaug', reason: 'the fromType is unknown' },
  { index: 4, type: 'WORKS_FOR', value: 'Ada', reason: 'the toValue is empty or not a text' },
  { index: 5, reason: NO_OBJECT },
];

describe("a model's odd entities", () => {
  const database = useDatabase();
  let layer;
  let number = 0;

  beforeAll(() => {
    layer = database.layer({ extractor: 'none' });
  });

  const entry = () => {
    number += 1;
    return { userId: 'ada', content: `memory ${number}` };
  };
  const extracting = (extract) => database.layer({ extractor: { extract } });

  /** Every way in: what it stores, as a read tells it. */
  const WAYS = {
    store: async () => (await layer.memory.store(entry(), { entities: ODD })).id,
    storeMany: async () => (await layer.memory.storeMany([{ ...entry(), entities: ODD }])).stored[0].id,
    update: async () => {
      const { id } = await layer.memory.store(entry());
      await layer.memory.update(id, { entities: ODD });
      return id;
    },
    'persistenceService.store': async () =>
      (await layer.persistence.store({ ...entry(), entities: ODD })).data.id,
    'persistenceService.update': async () => {
      const { id } = await layer.memory.store(entry());
      await layer.persistence.update({ id, entities: ODD });
      return id;
    },
    "an extractor's function": async () =>
      (await extracting(async () => ({ entities: ODD })).memory.store(entry())).id,
    "an extractor's function, later": async () => {
      const later = extracting(async () => ({ entities: ODD, relationships: [] }));
      const { id } = await later.memory.store(entry(), { defer: true });
      await later.sync.drain();
      return id;
    },
    'an import': async () => {
      const { content, userId } = entry();
      const line = JSON.stringify({ id: crypto.randomUUID(), content, entities: ODD });
      const outcome = await layer.memory.importMemories([line], { userId });
      expect(outcome).toMatchObject({ stored: 1, failed: [] });
      return JSON.parse(line).id;
    },
    'a row of other code': async () => {
      const { content, userId } = entry();
      const insert =
        'insert into memory_entries (user_id, content, metadata) values ($1, $2, $3) returning id';
      const [{ id }] = await database.query(insert, [userId, content, JSON.stringify({ entities: ODD })]);
      return id;
    },
    'an update by other code': async () => {
      const { id } = await layer.memory.store(entry());
      const update =
        "update memory_entries set metadata = jsonb_build_object('entities', $2::jsonb) where id = $1";
      await database.query(update, [id, JSON.stringify(ODD)]);
      return id;
    },
  };

  test.each(Object.entries(WAYS))('%s keeps the memory, and what can be understood', async (_way, write) => {
    const id = await write();
    const memory = await layer.memory.getById(id);
    expect(sorted(memory.entities)).toEqual(sorted(KEPT));
    expect(memory.metadata.entitiesRejected).toEqual(REJECTED);
    expect(memory.metadata).not.toHaveProperty('relationshipsRejected');
    await layer.sync.fullSync();
    expect(await layer.sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
  });

  test('a language model that answers so is understood, where the memory has it', async () => {
    const named = ODD.slice(0, 4);
    const told = { entities: [...named, ODD[10], 5], relationships: RELATIONSHIPS.slice(0, 4) };
    const server = await startOpenAi({ chat: () => told });
    const { baseUrl } = server;
    const extractor = { provider: 'openai', baseUrl, apiKey: 'sk-x', model: 'any' };
    const content = 'John Doe of Acme has to send the report by May 5.';
    const { metadata, id } = await database
      .layer({ extractor })
      .memory.store({ userId: 'ada', content }, { importance: 5 });
    await server.down();
    expect(server.requests.filter(({ path }) => path.includes('chat'))).toHaveLength(1);
    const entities = (await layer.memory.getById(id)).entities;
    expect(entities.map(({ type, value }) => `${type} ${value}`).sort()).toEqual([
      'action_item Send the report',
      'company Acme',
      'date May 5',
      'person John Doe',
    ]);
    expect(entities.find(({ type }) => type === 'company').confidence).toBe(1);
    expect(metadata.entitiesRejected.map(({ index }) => index)).toEqual([4, 5]);
    expect(metadata.relationshipsRejected.map(({ index }) => index)).toEqual([2, 3]);
  });

  test('relationships too', async () => {
    const { id, entities, metadata } = await layer.memory.store(entry(), {
      entities: [ODD[0]],
      relationships: RELATIONSHIPS,
    });
    expect(metadata.relationshipsRejected).toEqual(RELATIONSHIPS_REJECTED);
    expect(metadata).not.toHaveProperty('entitiesRejected');
    expect(entities.map(({ normalized }) => normalized).sort()).toEqual(['acme', 'ada', 'john doe', 'may 5']);
    const [{ relationships }] = await database.query(
      'select relationships from izzie_memory.memory_state where memory_id = $1',
      [id],
    );
    expect(relationships).toMatchObject([
      {
        fromNormalized: 'john doe',
        toType: 'company',
        toNormalized: 'acme',
        relationshipType: 'WORKS_FOR',
        confidence: 1,
      },
      { fromNormalized: 'ada', toType: 'date', toNormalized: 'may 5' },
    ]);
  });

  test('what JSON cannot carry costs no memory either', async () => {
    class Named {
      constructor() {
        this.type = 'person';
        this.value = 'Grace';
      }
    }
    const cyclic = { type: 'person', value: 'Ann' };
    cyclic.self = cyclic;
    const entities = [
      { type: 'person', value: 'Ada', confidence: Number.NaN },
      { type: 'person', value: 'Bob', confidence: Number.POSITIVE_INFINITY, extra: () => {} },
      { type: 'topic', value: 'half \ud83d a pair', context: 'a \0 b' },
      { type: 'date', value: new Date('2026-05-05T00:00:00Z'), deadline: new Date(Number.NaN) },
      new Named(),
      cyclic,
      { type: 'tool', value: 7n, source: Symbol('x') },
      {
        type: 'company',
        get value() {
          throw new Error('no');
        },
      },
      Object.freeze({
        type: 'location',
        get value() {
          return 'Rome';
        },
      }),
      undefined,
      new Proxy(
        {},
        {
          get() {
            throw new Error('no');
          },
        },
      ),
      () => {},
    ];
    const { id, metadata } = await layer.memory.store(entry(), { entities });
    const stored = (await layer.memory.getById(id)).entities.map(({ value }) => value).sort();
    expect(stored).toEqual([
      '2026-05-05T00:00:00.000Z',
      '7',
      'Ada',
      'Ann',
      'Bob',
      'Grace',
      'Rome',
      'half \ufffd a pair',
    ]);
    expect(metadata.entitiesRejected.map(({ index }) => index)).toEqual([7, 9, 10, 11]);
  });

  test('what is left out is counted, and a long list of it bounded', async () => {
    const counted = async () =>
      Number(/izzie_memory_rejected_total\{kind="entity"\} (\d+)/.exec(await layer.metrics())?.[1] ?? 0);
    const before = await counted();
    const entities = Array.from({ length: 120 }, () => ({ type: 'dragon', value: 'S' }));
    const { metadata } = await layer.memory.store(entry(), { entities });
    expect(metadata.entitiesRejected).toHaveLength(51);
    expect(metadata.entitiesRejected.at(-1)).toEqual({ index: 50, reason: 'and 70 more' });
    expect(await counted()).toBe(before + 120);
    const insert = 'insert into memory_entries (user_id, content, metadata) values ($1, $2, $3) returning id';
    const [{ id }] = await database.query(insert, ['ada', 'many', JSON.stringify({ entities })]);
    expect((await layer.memory.getById(id)).metadata.entitiesRejected).toEqual(metadata.entitiesRejected);
  });

  test('more than the limit is kept of a call by nobody, of an extractor up to it', async () => {
    const few = database.layer({
      limits: { entities: 2 },
      extractor: {
        extract: async () => ({ entities: ['A', 'B', 'C'].map((value) => ({ type: 'topic', value })) }),
      },
    });
    const { entities, metadata } = await few.memory.store(entry());
    expect(entities).toHaveLength(2);
    expect(metadata.entitiesRejected).toEqual([
      { index: 2, type: 'topic', value: 'C', reason: 'is over the limit of 2' },
    ]);
    const error = await rejection(
      few.memory.store(entry(), { entities: Array(3).fill({ type: 'topic', value: 'A' }) }),
    );
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field: 'entities', limit: 2 } });
  });

  test('it is a copy: not written back, gone with other entities and with the memory', async () => {
    const stored = await layer.memory.store(entry(), { entities: ODD, relationships: RELATIONSHIPS });
    await layer.memory.update(stored.id, { metadata: { ...stored.metadata, mine: 1 } });
    const [{ metadata }] = await database.query('select metadata from memory_entries where id = $1', [
      stored.id,
    ]);
    expect(metadata).toEqual({ mine: 1 });
    expect((await layer.memory.getById(stored.id)).metadata).toMatchObject({ entitiesRejected: REJECTED });
    await layer.memory.update(stored.id, { content: 'other', extractEntities: false });
    expect((await layer.memory.getById(stored.id)).metadata).toMatchObject({ entitiesRejected: REJECTED });
    const updated = await layer.memory.update(stored.id, { entities: [{ type: 'person', value: 'Ada' }] });
    expect(updated.metadata).not.toHaveProperty('entitiesRejected');
    expect(updated.metadata).not.toHaveProperty('relationshipsRejected');
    await layer.memory.update(stored.id, { entities: ODD });
    await layer.memory.delete(stored.id, { hard: true });
    const left = 'select rejected from izzie_memory.memory_state where memory_id = $1';
    expect(await database.query(left, [stored.id])).toEqual([{ rejected: null }]);
  });

  test('PersistenceService tells it with the result', async () => {
    const { success, metadata, data } = await layer.persistence.store({ ...entry(), entities: ODD });
    expect({ success, rejected: metadata.entitiesRejected }).toEqual({ success: true, rejected: REJECTED });
    expect(data.metadata).toEqual({});
  });

  describe('strictEntities', () => {
    const CASES = [
      [{ type: 'dragon', value: 'S' }, 'entities[0].type'],
      [{ type: 'person', value: ' ' }, 'entities[0].value'],
      [{ type: 'person', value: 'A', source: 'description' }, 'entities[0].source'],
      [{ type: 'person', value: 'A', priority: 'urgent' }, 'entities[0].priority'],
      [{ type: 'person', value: 'A', confidence: 1.2 }, 'entities[0].confidence'],
      [{ type: 'person', value: 'A', confidence: Number.NaN }, 'entities[0].confidence'],
      [{ type: 'person', value: 'A', importance: 1 }, 'entities[0].importance'],
      [{ type: 'person', value: 'half \ud83d' }, 'entities[0].value'],
      [{ type: 'person', value: 'A', context: long(2001) }, 'entities[0].context'],
      [5, 'entities[0]'],
    ];

    test.each(CASES)('refuses case %# by its field', async (odd, field) => {
      const refused = async (call) =>
        expect(await rejection(call)).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field } });
      const strict = { entities: [odd], strictEntities: true };
      await refused(layer.memory.store(entry(), strict));
      const { failed } = await layer.memory.storeMany([{ ...entry(), ...strict }]);
      await refused(Promise.reject(failed[0].error));
      const { id } = await layer.memory.store(entry());
      await refused(layer.memory.update(id, { entities: [odd] }, { strictEntities: true }));
      const byDefault = database.layer({ strictEntities: true });
      await refused(byDefault.memory.store(entry(), { entities: [odd] }));
      const lenient = await byDefault.memory.store(entry(), { entities: [odd], strictEntities: false });
      expect(lenient.metadata.created).toBe(true);
    });

    test('refuses relationships by their field', async () => {
      const odd = {
        fromType: 'person',
        fromValue: 'A',
        toType: 'person',
        toValue: 'B',
        relationshipType: 'HATES',
      };
      const error = await rejection(
        layer.memory.store(entry(), { relationships: [odd], strictEntities: true }),
      );
      expect(error.details.field).toBe('relationships[0].relationshipType');
    });
  });

  test.each([
    ['entities as text', { entities: 'Ada' }, 'entities'],
    ['entities as an object', { entities: { 0: ODD[0] } }, 'entities'],
    ['relationships as a number', { relationships: 3 }, 'relationships'],
    ['strictEntities as text', { strictEntities: 'yes' }, 'strictEntities'],
  ])('a bad argument of the call is one: %s', async (_case, options, field) => {
    const error = await rejection(layer.memory.store(entry(), options));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field } });
  });
});
