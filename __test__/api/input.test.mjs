// Bad input is refused with a typed error before a byte reaches a store.
import * as api from 'izzie-memory';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startProxy } from '../support/proxy.mjs';
import { quiet, rejection, useDatabase } from './support.mjs';

const LONE_SURROGATE = 'caf\ud83d';
const NUL = 'caf\0';
const ENTRY = { userId: 'ada', content: 'Lunch with Grace' };
const ID = '3f2c0c6e-6b1c-4b53-9c36-0d3a3b1f3a10';

const cycle = {};
cycle.self = cycle;

function nested(levels) {
  let value = 'bottom';
  for (let level = 0; level < levels; level += 1) value = { value };
  return value;
}

/** A string of so many bytes, of which each character takes two. */
const bytes = (count) => 'é'.repeat(count / 2);

/** What is stored, and the field that is refused. */
const STORES = [
  ['no user', { content: 'c' }, {}, 'userId'],
  ['an empty user', { ...ENTRY, userId: '' }, {}, 'userId'],
  ['a blank user', { ...ENTRY, userId: ' ' }, {}, 'userId'],
  ['a user that is a number', { ...ENTRY, userId: 7 }, {}, 'userId'],
  ['a user id too long', { ...ENTRY, userId: bytes(256) }, {}, 'userId'],
  ['a user with NUL', { ...ENTRY, userId: NUL }, {}, 'userId'],
  ['a user with half a character', { ...ENTRY, userId: LONE_SURROGATE }, {}, 'userId'],
  ['no content', { userId: 'ada' }, {}, 'content'],
  ['empty content', { ...ENTRY, content: '' }, {}, 'content'],
  ['blank content', { ...ENTRY, content: ' \n ' }, {}, 'content'],
  ['content that is an object', { ...ENTRY, content: {} }, {}, 'content'],
  ['content over the limit', { ...ENTRY, content: bytes(100_002) }, {}, 'content'],
  ['content with NUL', { ...ENTRY, content: NUL }, {}, 'content'],
  ['content with half a character', { ...ENTRY, content: LONE_SURROGATE }, {}, 'content'],
  ['metadata that is an array', { ...ENTRY, metadata: [1] }, {}, 'metadata'],
  ['metadata that is text', { ...ENTRY, metadata: '{}' }, {}, 'metadata'],
  ['metadata over the limit', { ...ENTRY, metadata: { text: bytes(100_000) } }, {}, 'metadata'],
  ['metadata with NaN', { ...ENTRY, metadata: { a: [1, Number.NaN] } }, {}, 'metadata.a[1]'],
  ['metadata with infinity', { ...ENTRY, metadata: { a: -Infinity } }, {}, 'metadata.a'],
  ['metadata with a BigInt', { ...ENTRY, metadata: { a: { b: 1n } } }, {}, 'metadata.a.b'],
  ['metadata with a function', { ...ENTRY, metadata: { a() {} } }, {}, 'metadata.a'],
  ['metadata with a symbol', { ...ENTRY, metadata: { a: Symbol('s') } }, {}, 'metadata.a'],
  ['metadata with a Map', { ...ENTRY, metadata: { a: new Map() } }, {}, 'metadata.a'],
  ['metadata with an invalid Date', { ...ENTRY, metadata: { a: new Date('x') } }, {}, 'metadata.a'],
  ['metadata with a cycle', { ...ENTRY, metadata: { a: cycle } }, {}, 'metadata.a.self'],
  ['metadata with NUL', { ...ENTRY, metadata: { a: { b: NUL } } }, {}, 'metadata'],
  ['a metadata key with NUL', { ...ENTRY, metadata: { [NUL]: 1 } }, {}, 'metadata'],
  ['metadata with half a character', { ...ENTRY, metadata: { a: LONE_SURROGATE } }, {}, 'metadata.a'],
  ['an unknown member of the entry', { ...ENTRY, contnet: 'x' }, {}, 'entry.contnet'],
  ['importance 0', ENTRY, { importance: 0 }, 'importance'],
  ['importance 11', ENTRY, { importance: 11 }, 'importance'],
  ['importance 5.5', ENTRY, { importance: 5.5 }, 'importance'],
  ['importance NaN', ENTRY, { importance: Number.NaN }, 'importance'],
  ['importance as text', ENTRY, { importance: '5' }, 'importance'],
  ['an id that is no UUID', ENTRY, { id: 'conv-1' }, 'id'],
  ['id and key together', ENTRY, { id: ID, idempotencyKey: 'k' }, 'idempotencyKey'],
  ['an empty key', ENTRY, { idempotencyKey: '' }, 'idempotencyKey'],
  ['a key too long', ENTRY, { idempotencyKey: bytes(1002) }, 'idempotencyKey'],
  ['an empty conversation', ENTRY, { conversationId: '' }, 'conversationId'],
  ['a conversation too long', ENTRY, { conversationId: bytes(256) }, 'conversationId'],
  ['a summary with NUL', ENTRY, { summary: NUL }, 'summary'],
  ['a time that is no time', ENTRY, { createdAt: 'yesterday' }, 'createdAt'],
  ['an invalid Date', ENTRY, { createdAt: new Date(Number.NaN) }, 'createdAt'],
  ['a time beyond all calendars', ENTRY, { createdAt: new Date(8.64e15) }, 'createdAt'],
  ['a time before all calendars', ENTRY, { createdAt: new Date(-8.64e15) }, 'createdAt'],
  ['a time before the year 1', ENTRY, { createdAt: '0000-12-31T23:59:59Z' }, 'createdAt'],
  ['a time after the year 9999', ENTRY, { createdAt: new Date('+010000-01-01T00:00:00Z') }, 'createdAt'],
  ['metadata without a bottom', { ...ENTRY, metadata: nested(100_000) }, {}, undefined],
  ['metadata nested 120 deep', { ...ENTRY, metadata: nested(120) }, {}, undefined],
  ['extractEntities as text', ENTRY, { extractEntities: 'no' }, 'extractEntities'],
  ['defer as a number', ENTRY, { defer: 1 }, 'defer'],
  ['entities that are no list', ENTRY, { entities: {} }, 'entities'],
  [
    'an unknown entity type',
    ENTRY,
    strict({ entities: [{ type: 'dragon', value: 'S' }] }),
    'entities[0].type',
  ],
  ['a nameless entity', ENTRY, strict({ entities: [{ type: 'person', value: ' ' }] }), 'entities[0].value'],
  ['an entity with NUL', ENTRY, strict({ entities: [{ type: 'person', value: NUL }] }), 'entities[0].value'],
  [
    'an entity too sure',
    ENTRY,
    strict({ entities: [{ type: 'person', value: 'Ada', confidence: 1.1 }] }),
    'entities[0].confidence',
  ],
  [
    'too many entities',
    ENTRY,
    { entities: Array.from({ length: 201 }, (_, i) => ({ type: 'topic', value: `t${i}` })) },
    'entities',
  ],
  [
    'an unknown relationship',
    ENTRY,
    strict({ relationships: [relationship({ relationshipType: 'HATES' })] }),
    'relationships[0].relationshipType',
  ],
  [
    'a relationship to a dragon',
    ENTRY,
    strict({ relationships: [relationship({ toType: 'dragon' })] }),
    'relationships[0].toType',
  ],
  ['an embedding with NaN', ENTRY, { embedding: [0.1, Number.NaN] }, 'embedding[1]'],
  ['an embedding with infinity', ENTRY, { embedding: new Float32Array([Infinity]) }, 'embedding[0]'],
  ['an embedding beyond 32 bits', ENTRY, { embedding: [1e300] }, 'embedding[0]'],
  ['an embedding with a hole', ENTRY, { embedding: [1, undefined] }, 'embedding[1]'],
  ['an embedding with text', ENTRY, { embedding: ['1'] }, 'embedding[0]'],
  ['an empty embedding', ENTRY, { embedding: [] }, 'embedding'],
  ['an embedding of zeros', ENTRY, { embedding: new Float32Array(1536) }, 'embedding'],
  ['an embedding that is text', ENTRY, { embedding: '[1]' }, 'embedding'],
  ['a signal that is none', ENTRY, { signal: {} }, 'options.signal'],
];

/** Entities taken at their word; otherwise they are no reason to refuse a memory (entities-lenient.test.mjs). */
function strict(options) {
  return { ...options, strictEntities: true };
}

function relationship(changes) {
  const ends = { fromType: 'person', fromValue: 'Ada', toType: 'person', toValue: 'Grace' };
  return { ...ends, relationshipType: 'WORKS_WITH', ...changes };
}

/** Other calls: `call(layer)`, and the field that is refused. */
const CALLS = [
  ['retrieve without a user', ({ memory }) => memory.retrieve(undefined, 'q'), 'userId'],
  ['retrieve with an empty query', ({ memory }) => memory.retrieve('ada', ' '), 'query'],
  ['retrieve with a query over the limit', ({ memory }) => memory.retrieve('ada', bytes(10_002)), 'query'],
  ['retrieve of 0', ({ memory }) => memory.retrieve('ada', 'q', { limit: 0 }), 'limit'],
  ['retrieve of 1001', ({ memory }) => memory.retrieve('ada', 'q', { limit: 1001 }), 'limit'],
  ['retrieve of 1.5', ({ memory }) => memory.retrieve('ada', 'q', { limit: 1.5 }), 'limit'],
  ['a threshold over 1', ({ memory }) => memory.retrieve('ada', 'q', { threshold: 1.01 }), 'threshold'],
  ['a threshold of NaN', ({ memory }) => memory.retrieve('ada', 'q', { threshold: Number.NaN }), 'threshold'],
  ['an unknown mode', ({ memory }) => memory.retrieve('ada', 'q', { mode: 'fuzzy' }), 'mode'],
  [
    'half an importance to search by',
    ({ memory }) => memory.retrieve('ada', 'q', { minImportance: 0.5 }),
    'minImportance',
  ],
  ['update without an id', ({ memory }) => memory.update(undefined, { content: 'c' }), 'id'],
  ['update to empty content', ({ memory }) => memory.update(ID, { content: '' }), 'content'],
  ['update to importance 0', ({ memory }) => memory.update(ID, { importance: 0 }), 'importance'],
  [
    'both kinds of new metadata',
    ({ memory }) => memory.update(ID, { metadata: {}, metadataPatch: {} }),
    'metadataPatch',
  ],
  ['an unknown update', ({ memory }) => memory.update(ID, { contnet: 'c' }), 'updates.contnet'],
  ['another option of update', ({ memory }) => memory.update(ID, {}, { hard: true }), 'call.hard'],
  ['delete for an empty user', ({ memory }) => memory.delete(ID, { userId: '' }), 'userId'],
  ['getById for a user that is a number', ({ memory }) => memory.getById(ID, { userId: 5 }), 'userId'],
  ['getMany of no list', ({ memory }) => memory.getMany('all'), 'ids'],
  ['getMany of 1001', ({ memory }) => memory.getMany(Array(1001).fill(ID)), 'ids'],
  ['getAll without a user', ({ memory }) => memory.getAll(), 'userId'],
  ['getAll of none', ({ memory }) => memory.getAll('ada', { limit: 0 }), 'limit'],
  ['getAll of a part', ({ memory }) => memory.getAll('ada', { limit: 1000.5 }), 'limit'],
  [
    'getAll of many with an option of list',
    ({ memory }) => memory.getAll('ada', { limit: 5000, cursor: 'x' }),
  ],
  ['list of 1001', ({ memory }) => memory.list('ada', { limit: 1001 }), 'limit'],
  ['getStats without a user', ({ memory }) => memory.getStats(), 'userId'],
  ['a check of 0', ({ sync }) => sync.checkConsistency({ limit: 0 }), 'limit'],
  ['a check for a blank user', ({ sync }) => sync.checkConsistency({ userId: ' ' }), 'userId'],
  ['a repair of no list', ({ sync }) => sync.repairInconsistencies({}), 'inconsistencies'],
  [
    'a repair of no memory',
    ({ sync }) =>
      sync.repairInconsistencies([{ issue: 'missing_in_graph', details: '', detectedAt: new Date() }]),
    'inconsistencies[0].memoryId',
  ],
  ['dryRun as text', ({ sync }) => sync.fullSync({ dryRun: 'yes' }), 'dryRun'],
  ['a rebuild of -1', ({ sync }) => sync.rebuildGraph({ limit: -1 }), 'limit'],
];

/** Options of which the name is wrong; the message says it. */
const UNKNOWN = [
  ['store', ({ memory }) => memory.store(ENTRY, { importnce: 3 })],
  [
    'store, an entity',
    ({ memory }) => memory.store(ENTRY, strict({ entities: [{ type: 'person', value: 'A', importnce: 1 }] })),
  ],
  ['retrieve', ({ memory }) => memory.retrieve('ada', 'q', { importnce: 3 })],
  ['update', ({ memory }) => memory.update(ID, { importnce: 3 })],
  ['delete', ({ memory }) => memory.delete(ID, { importnce: 3 })],
  ['getById', ({ memory }) => memory.getById(ID, { importnce: 3 })],
  ['getMany', ({ memory }) => memory.getMany([ID], { importnce: 3 })],
  ['getAll', ({ memory }) => memory.getAll('ada', { importnce: 3 })],
  ['checkConsistency', ({ sync }) => sync.checkConsistency({ importnce: 3 })],
  ['repairInconsistencies', ({ sync }) => sync.repairInconsistencies([], { importnce: 3 })],
  ['fullSync', ({ sync }) => sync.fullSync({ importnce: 3 })],
  ['rebuildGraph', ({ sync }) => sync.rebuildGraph({ importnce: 3 })],
];

describe('bad input', () => {
  const database = useDatabase();
  let proxy;
  let layer;
  let before;

  const traffic = () => ({ connections: proxy.connections, ...proxy.bytes });

  beforeAll(async () => {
    proxy = await startProxy(database.url);
    layer = database.layer({ databaseUrl: proxy.url(database.url) });
  });

  afterAll(async () => {
    await layer.close();
    await proxy.close();
  });

  beforeEach(() => {
    before = traffic();
  });

  async function connect({ memory }) {
    await memory.retrieve('ada', 'which space is it');
    await quiet(proxy);
  }

  async function expectRefusal(call, field) {
    const error = await rejection(call);
    expect(error).toBeInstanceOf(api.PersistenceError);
    expect(error).toMatchObject({ name: 'PersistenceError', code: 'INVALID_ARGUMENT', retryable: false });
    if (field) expect(error.details.field).toBe(field);
    expect(traffic(), 'nothing may reach Postgres').toEqual(before);
    return error;
  }

  describe.each([
    ['before the layer has connected', () => {}],
    ['when it has', () => connect(layer)],
  ])('%s', (_name, prepare) => {
    beforeAll(prepare);

    test.each(STORES)('store: %s', (_case, entry, options, field) =>
      expectRefusal(layer.memory.store(entry, options), field),
    );

    test.each(CALLS)('%s', (_case, call, field) => expectRefusal(call(layer), field));

    test.each(UNKNOWN)('an unknown option of %s is named', async (_case, call) => {
      const { message } = await expectRefusal(call(layer));
      expect(message).toContain('importnce');
    });

    test('PersistenceService rejects', () =>
      expectRefusal(layer.persistence.store({ ...ENTRY, importance: 11 }), 'importance'));
  });

  test('an embedding of a length that fits no space', async () => {
    const other = database.layer({
      databaseUrl: proxy.url(database.url),
      embedder: { model: 'three', dimensions: 3, embed: async () => [] },
    });
    await other.memory.store({ ...ENTRY, content: 'warm' }, { embedding: [1, 2, 3] });
    await quiet(proxy);
    before = traffic();
    const error = await rejection(other.memory.store(ENTRY, { embedding: [1, 2, 3, 4] }));
    expect(error).toMatchObject({ code: 'DIMENSION_MISMATCH', details: { actual: 4, expected: 3 } });
    expect(traffic()).toEqual(before);
    await other.close();
  });

  test('a limit that is exceeded is told', async () => {
    const { message, details } = await rejection(layer.memory.store({ ...ENTRY, content: bytes(100_002) }));
    expect(details).toEqual({ field: 'content', limit: 100_000, length: 100_002 });
    expect(message).toMatch(/100002.*100000/);
  });

  test('nothing was stored by all this', async () => {
    expect(
      await database.query('select count(*)::int as count from memory_entries where content <> $1', ['warm']),
    ).toEqual([{ count: 0 }]);
  });
});
