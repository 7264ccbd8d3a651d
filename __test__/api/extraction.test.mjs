// Entities and relationships: found by rules, by a callback, given, switched off.
import { beforeAll, describe, expect, test } from 'vitest';
import { rejection, useDatabase } from './support.mjs';

const TEXT = 'Grace Hopper <grace@example.org> joins Remington Rand Inc. next week.';
const entry = (content = TEXT) => ({ userId: 'ada', content });
const ADA = { type: 'person', value: 'Ada Lovelace' };
const ENGINE = {
  type: 'project',
  value: 'Analytical Engine',
  confidence: 0.75,
  source: 'subject',
  context: 'the Engine',
};

function worksOn(changes) {
  const ends = {
    fromType: 'person',
    fromValue: 'Ada Lovelace',
    toType: 'project',
    toValue: 'Analytical Engine',
  };
  return { ...ends, relationshipType: 'WORKS_ON', ...changes };
}

const names = ({ entities }) => entities.map(({ normalized }) => normalized).sort();

describe('entities', () => {
  const database = useDatabase();
  let memory;

  beforeAll(() => {
    ({ memory } = database.layer());
  });

  test('are found by rules', async () => {
    const stored = await memory.store(entry());
    expect(names(stored).join()).toContain('grace');
    expect(stored.entities.map(({ type }) => type)).toEqual(expect.arrayContaining(['person', 'company']));
    expect(stored.metadata.entityCount).toBe(stored.entities.length);
    expect((await memory.getById(stored.id)).entities).toEqual(stored.entities);
  });

  test('are not invented', async () => {
    expect((await memory.store(entry('it rained all day and nothing else happened'))).entities).toEqual([]);
  });

  test('are not looked for with extractEntities: false', async () => {
    const stored = await memory.store(entry(), { extractEntities: false });
    expect(stored.entities).toEqual([]);
    expect((await database.debts()).filter(({ target }) => target === 'extraction')).toEqual([]);
  });

  test('are taken as given, in full', async () => {
    const stored = await memory.store(entry(), { entities: [ADA, ENGINE] });
    expect(stored.entities).toEqual(
      expect.arrayContaining([
        { type: 'person', value: 'Ada Lovelace', normalized: 'ada lovelace', confidence: 1, source: 'body' },
        { ...ENGINE, normalized: 'analytical engine' },
      ]),
    );
    expect(stored.entities).toHaveLength(2);
  });

  test('an empty list is none', async () => {
    expect((await memory.store(entry(), { entities: [] })).entities).toEqual([]);
  });

  test('of one name and kind are one', async () => {
    const twice = [
      { ...ADA, confidence: 0.5 },
      { type: 'person', value: 'ada  LOVELACE', confidence: 0.9 },
    ];
    expect(names(await memory.store(entry(), { entities: twice }))).toEqual(['ada lovelace']);
  });

  test('of an action item have their own members', async () => {
    const item = {
      type: 'action_item',
      value: 'Send the minutes',
      assignee: 'Ada',
      deadline: 'Friday',
      priority: 'high',
    };
    const { entities } = await memory.store(entry(), { entities: [item] });
    expect(entities).toEqual([{ ...item, normalized: 'send the minutes', confidence: 1, source: 'body' }]);
  });

  test('that are the ends of relationships join the others', async () => {
    const stored = await memory.store(entry(), { entities: [ADA], relationships: [worksOn()] });
    expect(names(stored)).toEqual(['ada lovelace', 'analytical engine']);
  });

  test('follow an update of the content, or of themselves', async () => {
    const { id } = await memory.store(entry(), { entities: [ADA] });
    expect(names(await memory.update(id, { importance: 9 }))).toEqual(['ada lovelace']);
    expect(names(await memory.update(id, { content: 'nothing in it' }))).toEqual([]);
    expect(names(await memory.update(id, { entities: [ENGINE] }))).toEqual(['analytical engine']);
    const kept = await memory.update(id, { content: TEXT, extractEntities: false });
    expect(names(kept)).toEqual(['analytical engine']);
    expect(names(await memory.update(id, { content: `${TEXT}!` })).join()).toContain('grace');
    expect(names(await memory.update(id, { relationships: [worksOn()] }))).toEqual(
      expect.arrayContaining(['ada lovelace', 'analytical engine']),
    );
  });
});

describe('an extractor', () => {
  const database = useDatabase();
  const owed = async (id) =>
    (await database.debts()).filter((debt) => debt.memory_id === id).map(({ target }) => target);
  const layer = (extract) => database.layer({ extractor: { extract } });

  test("'none' finds nothing and owes nothing", async () => {
    const stored = await database.layer({ extractor: 'none' }).memory.store(entry());
    expect(stored.entities).toEqual([]);
    expect(await owed(stored.id)).toEqual(['embedding']);
  });

  test('of one’s own is given the memory and believed', async () => {
    const inputs = [];
    const { memory } = layer(async (input, { signal }) => {
      inputs.push({ ...input, aborted: signal.aborted });
      return {
        entities: [ADA, ENGINE],
        relationships: [worksOn({ confidence: 0.5, evidence: 'she wrote it' })],
      };
    });
    const stored = await memory.store({ ...entry(), metadata: { from: 'mail' } }, { summary: 'short' });
    expect(inputs).toEqual([{ content: TEXT, summary: 'short', metadata: { from: 'mail' }, aborted: false }]);
    expect(names(stored)).toEqual(['ada lovelace', 'analytical engine']);
    expect(await owed(stored.id)).toEqual(['embedding']);
  });

  test('may find entities only, or nothing', async () => {
    expect(names(await layer(async () => ({ entities: [ADA] })).memory.store(entry()))).toEqual([
      'ada lovelace',
    ]);
    expect((await layer(async () => ({})).memory.store(entry())).entities).toEqual([]);
  });

  test('is not asked when entities are given, not wanted or put off', async () => {
    const { memory } = layer(() => {
      throw new Error('asked');
    });
    for (const options of [{ entities: [ADA] }, { extractEntities: false }]) {
      const { id } = await memory.store(entry(), options);
      expect(await owed(id)).toEqual(['embedding']);
    }
    const { id } = await memory.store(entry(), { defer: true });
    expect(await owed(id)).toEqual(expect.arrayContaining(['embedding', 'extraction']));
  });

  test.each([
    ['rejects', async () => Promise.reject(new Error('canary'))],
    [
      'throws',
      () => {
        throw new Error('canary');
      },
    ],
    ['returns text', async () => 'canary'],
    ['returns lists of nonsense', async () => ({ entities: ['Ada'] })],
    ['returns no lists', async () => ({ entities: 'Ada' })],
    ['names unknown types only', async () => ({ entities: [{ type: 'dragon', value: 'Smaug' }] })],
  ])('that %s: the memory is kept, extraction is owed, nothing invented', async (_case, extract) => {
    const { memory } = layer(extract);
    const stored = await memory.store(entry());
    expect(stored).toMatchObject({
      content: TEXT,
      entities: [],
      metadata: { created: true, vectorWriteSuccess: true },
    });
    expect(await owed(stored.id)).toEqual(['embedding', 'extraction']);
  });

  test('of an unknown kind is refused at once', () => {
    expect(() => database.layer({ extractor: 'magic' })).not.toThrow();
    return rejection(database.layer({ extractor: 'magic' }).memory.getAll('ada')).then((error) =>
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'extractor' } }),
    );
  });
});
