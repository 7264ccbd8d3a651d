// Row 46: names and types that would break a query, through every way in which they come.
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

/** No store can keep these. */
const UNFIT = [
  ['NUL', 'caf\0'],
  ['half a character', 'caf\ud83d'],
  ['half a character in front', '\ude00caf'],
];

const TYPES = [
  'person`) DETACH DELETE n',
  "person'; --",
  'Person',
  '__proto__',
  'toString',
  'per\0son',
  '',
  ' person',
];

const named = (value) => ({ type: 'person', value });
const owns = (fromValue, toValue) => ({
  fromType: 'person',
  fromValue,
  toType: 'person',
  toValue,
  relationshipType: 'OWNS',
});
const CHAIN = HOSTILE.slice(1).map((name, place) => owns(HOSTILE[place], name));

onBothGraphs('row 46: hostile names, on %s', (kind) => {
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
    expect(entities.every(({ label, frequency }) => label === 'Person' && frequency === 1)).toBe(true);
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
      ...TYPES.map((type) => ({ type, value: 'Mallory' })),
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
    await expectHeld(layer, 'foreign', HOSTILE);
    expect(await database.graph.mentions(id)).toHaveLength(HOSTILE.length);
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
      entities: [...HOSTILE, ...UNFIT.map(([, name]) => name.replace(/[\ud800-\udfff]/, '�'))].map(
        (value) => ({
          ...named(value),
          ...told,
        }),
      ),
      relationships: CHAIN.map((edge) => ({ ...edge, confidence: 0.8, evidence: '' })),
    };
    const content = HOSTILE.join('\n');
    const stored = await layer.memory.store({ userId: 'model', content });
    expect(stored.entities.map(({ value }) => value).sort()).toEqual([...HOSTILE].sort());
    await expectHeld(layer, 'model', HOSTILE);

    answer = JSON.stringify(answer).replaceAll('"OWNS"', '"OWNS`]->() DETACH DELETE n //"');
    const owed = await layer.memory.store({ userId: 'model', content: `${content}!` });
    expect(owed.entities).toEqual([]);
  });

  test('of a function', async () => {
    let found = { entities: HOSTILE.map(named), relationships: CHAIN };
    const layer = database.layer({ extractor: { extract: async () => found } });
    await layer.memory.store({ userId: 'function', content: 'any' });
    await expectHeld(layer, 'function', HOSTILE);

    for (const entity of [
      ...TYPES.map((type) => ({ type, value: 'x' })),
      ...UNFIT.map(([, name]) => named(name)),
    ]) {
      found = { entities: [entity] };
      const { id, entities } = await layer.memory.store({ userId: 'function', content: 'any' });
      expect(entities, JSON.stringify(entity)).toEqual([]);
      const owed = (await database.debts())
        .filter((debt) => debt.memory_id === id)
        .map(({ target }) => target);
      expect(owed, JSON.stringify(entity)).toContain('extraction');
    }
  });

  describe('what no store can keep is refused', () => {
    const refused = async (options) => {
      const { memory } = database.layer({ extractor: 'none' });
      const error = await rejection(memory.store({ userId: 'refused', content: 'any' }, options));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await memory.getAll('refused')).toEqual([]);
    };

    test.each(UNFIT)('%s in a name', async (_case, name) => {
      await refused({ entities: [named(name)] });
      await refused({ relationships: [owns('Ada', name)] });
    });

    test.each(TYPES.map((type) => [type]))('the type %j', async (type) => {
      await refused({ entities: [{ type, value: 'Ada' }] });
      await refused({ relationships: [{ ...owns('Ada', 'Engine'), fromType: type }] });
      await refused({ relationships: [{ ...owns('Ada', 'Engine'), relationshipType: type }] });
    });
  });
});
