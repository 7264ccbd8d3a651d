// Names and types that would break a query, through every way in which they come.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startOpenAi } from '../../support/openai.mjs';
import { onBothGraphs, rejection, useGraph } from '../support.mjs';

/** Text that is data wherever it goes. In a query of its own each of these would do harm. */
const HOSTILE = [
  '`) DETACH DELETE n //',
  "'; drop table memory_entries; --",
  '"quoted" \\ back\\slash',
  'two\nlines\tand a tab',
  '$rows {key: 1} \u202e backwards',
  '}]) RETURN 1 UNION MATCH (n) DETACH DELETE n',
  '$$ || pg_sleep(9) || $$',
  '__proto__',
  'null',
  '👩‍👩‍👧 Ünïcödé 東京',
];

/** No store can keep these as they are; the last is what can be kept. */
const UNFIT = [
  ['NUL', 'caf\0', 'caf'],
  ['half a character', 'caf\ud83d', 'caf\ufffd'],
  ['half a character in front', '\ude00caf', '\ufffdcaf'],
];

/** No types, and what is told of them. */
const TYPES = [
  ['person`) DETACH DELETE n', 'person`) DETACH DELETE n'],
  ["person'; --", "person'; --"],
  ['__proto__', '__proto__'],
  ['toString', 'toString'],
  ['per\0son', 'person'],
  ['', undefined],
];
/** A type that models spell so. */
const SPELLINGS = [['Person'], [' person']];

const named = (value) => ({ type: 'person', value });
const owns = (fromValue, toValue) => ({
  fromType: 'person',
  fromValue,
  toType: 'person',
  toValue,
  relationshipType: 'OWNS',
});
const CHAIN = HOSTILE.slice(1).map((name, place) => owns(HOSTILE[place], name));

onBothGraphs('hostile names, on %s', (kind) => {
  const database = useGraph(kind);
  let provider;
  let answer;

  beforeAll(async () => {
    provider = await startOpenAi({ chat: () => answer });
  });

  afterAll(() => provider.close());

  /** Whatever was written: the graph is in step, its nodes have names like these, and nothing else happened. */
  async function expectHeld(layer, userId, names) {
    await layer.sync.fullSync();
    expect(await layer.sync.verify({ deep: true })).toMatchObject({ state: 'consistent', pending: 0 });
    const entities = (await database.graph.entities()).filter((entity) => entity.userId === userId);
    expect(entities).toHaveLength(names.length);
    expect(entities.every(({ type, frequency }) => type === 'person' && frequency === 1)).toBe(true);
  }

  test('of a caller, with a user of that kind', async () => {
    const userId = HOSTILE.join(' ').slice(0, 100);
    const layer = database.layer({ extractor: 'none' });
    const stored = await layer.memory.store(
      { userId, content: HOSTILE.join('\n'), metadata: { 'key`"\'': HOSTILE } },
      { entities: HOSTILE.map(named), relationships: CHAIN },
    );
    expect(stored.entities.map(({ value }) => value).sort()).toEqual([...HOSTILE].sort());
    await expectHeld(layer, userId, HOSTILE);
    expect(await database.graph.relations()).toHaveLength(CHAIN.length);
    expect(await layer.memory.getById(stored.id)).toMatchObject({ userId, content: HOSTILE.join('\n') });
  });

  test('of a row of other code', async () => {
    const layer = database.layer({ extractor: 'none' });
    const bad = [
      ...[...TYPES, ...SPELLINGS].map(([type]) => ({ type, value: 'Mallory' })),
      { type: { $ne: 1 }, value: ['Mallory'] },
    ];
    const entities = [
      ...HOSTILE.map(named),
      ...bad.filter(({ type }) => !String(type).includes('\0')),
      'x',
      null,
    ];
    const [{ id }] = await database.query(
      'insert into memory_entries (user_id, content, metadata) values ($1, $2, $3) returning id',
      ['foreign', 'a row', JSON.stringify({ entities })],
    );
    // Two of the types are only spelled otherwise.
    const names = [...HOSTILE, 'Mallory'];
    await expectHeld(layer, 'foreign', names);
    expect(await database.graph.mentions(id)).toHaveLength(names.length);
  });

  test('of a language model', async () => {
    const apiKey = 'sk-test';
    const layer = database.layer({ extractor: { provider: 'openai', baseUrl: provider.baseUrl, apiKey } });
    const told = {
      confidence: 0.9,
      source: 'body',
      context: null,
      assignee: null,
      deadline: null,
      priority: null,
    };
    answer = {
      entities: [...HOSTILE, ...UNFIT.map(([, , kept]) => kept)].map((value) => ({
        ...named(value),
        ...told,
      })),
      relationships: CHAIN.map((edge) => ({ ...edge, confidence: 0.8, evidence: '' })),
    };
    const content = HOSTILE.join('\n');
    const stored = await layer.memory.store({ userId: 'model', content });
    expect(stored.entities.map(({ value }) => value).sort()).toEqual([...HOSTILE].sort());
    await expectHeld(layer, 'model', HOSTILE);

    answer = JSON.stringify(answer).replaceAll('"OWNS"', '"OWNS`]->() DETACH DELETE n //"');
    const edges = await database.graph.relations();
    const odd = await layer.memory.store({ userId: 'odd model', content: `${content}!` });
    expect(odd.entities.map(({ value }) => value).sort()).toEqual([...HOSTILE].sort());
    expect(odd.metadata.relationshipsRejected).toEqual(
      CHAIN.map(({ fromValue }, index) => ({
        index,
        type: 'OWNS`]->() DETACH DELETE n //',
        value: fromValue.trim(),
        reason: 'the relationshipType is unknown',
      })),
    );
    await expectHeld(layer, 'odd model', HOSTILE);
    expect(await database.graph.relations()).toEqual(edges);
  });

  test('of a function', async () => {
    let found = { entities: HOSTILE.map(named), relationships: CHAIN };
    const layer = database.layer({ extractor: { extract: async () => found } });
    await layer.memory.store({ userId: 'function', content: 'any' });
    await expectHeld(layer, 'function', HOSTILE);

    for (const [type] of TYPES) {
      found = { entities: [{ type, value: 'x' }] };
      const { id, entities } = await layer.memory.store({ userId: 'odd function', content: 'any' });
      expect(entities, type).toEqual([]);
      const owed = (await database.debts())
        .filter((debt) => debt.memory_id === id)
        .map(({ target }) => target);
      expect(owed, type).toContain('extraction');
    }
    for (const [, name, kept] of UNFIT) {
      found = { entities: [named(name)] };
      const { entities } = await layer.memory.store({ userId: 'odd function', content: 'any' });
      expect(entities.map(({ value }) => value)).toEqual([kept]);
    }
  });

  test.each(UNFIT)('%s in a name: what a store can keep of it', async (_case, name, kept) => {
    const { memory } = database.layer({ extractor: 'none' });
    const values = async (options) => {
      const { entities, metadata } = await memory.store({ userId: 'unfit', content: 'any' }, options);
      expect([metadata.entitiesRejected, metadata.relationshipsRejected]).toEqual([undefined, undefined]);
      return entities.map(({ value }) => value).sort();
    };
    expect(await values({ entities: [named(name)] })).toEqual([kept]);
    expect(await values({ relationships: [owns('Ada', name)] })).toEqual(['Ada', kept].sort());
  });

  /** Whatever it held, the memory is stored. */
  async function expectLeftOut(layer, options, told) {
    const { id } = await layer.memory.store({ userId: 'odd', content: 'any' }, options);
    const { entities, metadata } = await layer.memory.getById(id);
    const { entitiesRejected, relationshipsRejected } = metadata;
    expect({ entities, entitiesRejected, relationshipsRejected }).toEqual({ entities: [], ...told });
    expect(await database.graph.mentions(id)).toEqual([]);
  }

  test.each(TYPES)('the type %j is left out and told', async (type, told) => {
    const layer = database.layer({ extractor: 'none' });
    const left = (reason, name = told) => [{ index: 0, value: 'Ada', reason, ...(name && { type: name }) }];
    const edge = owns('Ada', 'Engine');
    await expectLeftOut(
      layer,
      { entities: [{ type, value: 'Ada' }] },
      { entitiesRejected: left('the type is unknown') },
    );
    await expectLeftOut(
      layer,
      { relationships: [{ ...edge, fromType: type }] },
      { relationshipsRejected: left('the fromType is unknown', 'OWNS') },
    );
    await expectLeftOut(
      layer,
      { relationships: [{ ...edge, relationshipType: type }] },
      { relationshipsRejected: left('the relationshipType is unknown') },
    );
    await expectHeld(layer, 'odd', []);
  });

  describe('with strictEntities the call is refused', () => {
    const refused = async (options, field) => {
      const { memory } = database.layer({ extractor: 'none', strictEntities: true });
      const error = await rejection(memory.store({ userId: 'refused', content: 'any' }, options));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
      expect(await memory.getAll('refused')).toEqual([]);
    };

    test.each(UNFIT)('%s in a name', async (_case, name) => {
      await refused({ entities: [named(name)] }, 'entities[0].value');
      await refused({ relationships: [owns('Ada', name)] }, 'relationships[0].toValue');
    });

    test.each([...TYPES, ...SPELLINGS])('the type %j', async (type) => {
      const edge = owns('Ada', 'Engine');
      await refused({ entities: [{ type, value: 'Ada' }] }, 'entities[0].type');
      await refused({ relationships: [{ ...edge, fromType: type }] }, 'relationships[0].fromType');
      await refused(
        { relationships: [{ ...edge, relationshipType: type }] },
        'relationships[0].relationshipType',
      );
    });
  });
});
