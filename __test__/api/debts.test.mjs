// Debts to the models: what a provider that is down leaves is filled later, by drain and by auto-sync.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startOpenAi } from '../support/openai.mjs';
import { gate, useDatabase } from './support.mjs';

/** A database and a provider of its own, and what is owed to a model there. */
function useProvider() {
  const database = useDatabase();
  beforeAll(async () => {
    database.provider = await startOpenAi({
      chat: () => ({
        entities: [{ type: 'person', value: 'Grace Hopper', confidence: 0.9, source: 'body' }],
        relationships: [],
      }),
    });
  });
  afterAll(() => database.provider.close());
  database.embedder = () => ({
    provider: 'openai',
    baseUrl: database.provider.baseUrl,
    apiKey: 'sk-test',
    model: 'bag-of-words',
    dimensions: 64,
  });
  database.owes = async (target) =>
    (await database.debts()).filter((debt) => debt.target === target).map((debt) => debt.memory_id);
  database.embedding = async (id) =>
    (
      await database.query('select embedding::text from izzie_memory.memory_vectors where memory_id = $1', [
        id,
      ])
    )
      .map(({ embedding }) => JSON.parse(embedding))
      .at(0);
  return database;
}

const notes = (userId, count, options) =>
  Array.from({ length: count }, (_, n) => ({ userId, content: `note ${n} about topic${n}`, ...options }));

/** An embedder of our own, whose calls a test decides. */
const callback = (embed, dimensions = 3) => ({ model: 'own', dimensions, embed });

describe('a provider that was down', () => {
  const database = useProvider();

  test('100 memories are kept, and drain fills them all once it is back: search finds them', async () => {
    const { memory, sync } = database.layer({ embedder: database.embedder(), extractor: 'none' });
    await database.provider.down();
    const { stored } = await memory.storeMany(notes('ada', 100));
    expect(stored).toHaveLength(100);
    expect(await sync.drain()).toMatchObject({ embedded: 0, refused: 0, pending: 100, dead: 0 });
    const attempts = 'select distinct attempts, state, last_error from izzie_memory.memory_sync';
    expect(await database.query(attempts)).toEqual([
      { attempts: 0, state: 'pending', last_error: expect.stringMatching(/^EMBEDDING_FAILED: .*refused/) },
    ]);
    expect((await sync.getStats()).embedding).toEqual({ pending: 100, waiting: 0, dead: 0 });

    await database.provider.up();
    database.provider.requests.length = 0;
    expect(await sync.drain()).toMatchObject({ paid: 100, embedded: 100, pending: 0 });
    expect(database.provider.requests).toHaveLength(1);
    expect(await database.owes('embedding')).toEqual([]);
    for (const { id, content } of [stored[0], stored[50], stored[99]]) {
      const [found] = await memory.retrieve('ada', content, { mode: 'vector' });
      expect(found).toMatchObject({ id, similarity: expect.closeTo(1) });
    }
  }, 240_000);

  test.each([
    ['answers 429', { status: 429 }],
    ['answers 500', { status: 500 }],
    ['refuses the key', { status: 401 }],
    ['has no credit left', { status: 402 }],
    ['answers half', { truncate: true }],
    ['answers nonsense', { body: 'nonsense' }],
  ])(
    'one that %s charges nobody',
    async (_name, fault) => {
      const { memory, sync } = database.layer({ embedder: database.embedder(), extractor: 'none' });
      database.provider.fault = fault;
      await memory.storeMany(notes('bob', 3));
      expect(await sync.drain()).toMatchObject({ embedded: 0, refused: 0, pending: 3 });
      database.provider.fault = null;
      expect(await sync.drain()).toMatchObject({ embedded: 3, pending: 0 });
    },
    60_000,
  );

  test('Retry-After is respected', async () => {
    const { memory, sync } = database.layer({ embedder: database.embedder(), extractor: 'none' });
    const { id } = await memory.store({ userId: 'eve', content: 'later' }, { defer: true });
    database.provider.fault = { status: 429, retryAfter: 40 };
    await sync.drain();
    database.provider.fault = null;
    const wait =
      "select extract(epoch from next_attempt_at - now())::float as seconds from izzie_memory.memory_sync where target = 'embedding' and memory_id = $1";
    const [{ seconds }] = await database.query(wait, [id]);
    expect(seconds).toBeGreaterThan(35);
    expect(await sync.drain()).toMatchObject({ embedded: 1 });
  });
});

describe('a text that the model refuses', () => {
  const database = useProvider();

  test('is charged alone, given up after retryAttempts, listed, and revived', async () => {
    const { memory, sync } = database.layer({ embedder: database.embedder(), extractor: 'none' });
    const { stored } = await memory.storeMany(notes('ada', 9, { defer: true }));
    const poison = stored[4].id;
    const refusing = { model: 'bag-of-words', dimensions: 64, embed: (texts) => embed(texts) };
    let calls = 0;
    const embed = async (texts) => {
      calls += 1;
      if (texts.some((text) => text.includes('topic4'))) throw new Error('not this one');
      return texts.map((text) => [...Array(63).fill(0), text.length]);
    };
    const other = database.layer({ embedder: refusing, extractor: 'none' });
    expect(await other.sync.drain()).toMatchObject({ embedded: 8, refused: 1, pending: 1, dead: 0 });
    expect(calls).toBeLessThanOrEqual(9);
    expect(await database.owes('embedding')).toEqual([poison]);
    // Alone, nothing shows whether it or the model is to blame: neighbours that go through do.
    for (const dead of [0, 1]) {
      await memory.storeMany(notes(`ben${dead}`, 2, { defer: true }));
      expect(await other.sync.drain()).toMatchObject({ embedded: 2, refused: 1, dead });
    }
    expect((await sync.getStats()).embedding).toEqual({ pending: 0, waiting: 0, dead: 1 });
    expect(await other.sync.drain()).toMatchObject({ embedded: 0, refused: 0, pending: 0, dead: 1 });
    const { items } = await sync.getQueue({ state: 'dead', target: 'embedding' });
    expect(items).toMatchObject([
      { memoryId: poison, attempts: 3, lastError: expect.stringMatching(/^EMBEDDING_FAILED/) },
    ]);
    expect((await memory.getHealth()).reasons.map(({ code }) => code)).toContain('DEAD_LETTERS');

    expect(await sync.retryNow()).toEqual({ revived: 1 });
    expect(await sync.drain()).toMatchObject({ embedded: 1, dead: 0 });
    expect(await database.embedding(poison)).toHaveLength(64);
  });
});

describe('while an embedding is being made', () => {
  const database = useProvider();
  /** Drains with an embedder that waits until `meanwhile` is over. */
  async function during(meanwhile) {
    const [entered, release] = [gate(), gate()];
    const embed = async (texts) => {
      entered.open();
      await release.opened;
      return texts.map((text) => [text.length, 1, 1]);
    };
    const { sync } = database.layer({ embedder: callback(embed), extractor: 'none' });
    const drained = sync.drain();
    await entered.opened;
    await meanwhile();
    release.open();
    return await drained;
  }
  const quick = () =>
    database.layer({
      embedder: callback(async (texts) => texts.map((text) => [text.length, 1, 1])),
      extractor: 'none',
    });

  test('new content never gets the embedding of the old', async () => {
    const { memory, sync } = quick();
    const { id } = await memory.store({ userId: 'ada', content: 'old' }, { defer: true });
    await during(() => memory.update(id, { content: 'quite new', importance: 3 }));
    expect(await database.embedding(id)).toEqual(['quite new'.length, 1, 1]);
    expect(await database.owes('embedding')).toEqual([]);

    await memory.update(id, { content: 'newer' });
    await database.query('delete from izzie_memory.memory_vectors');
    await sync.backfill();
    const foreign = "update memory_entries set content = 'of other code' where id = $1";
    const late = await memory.store({ userId: 'ada', content: 'late' }, { defer: true });
    expect(await during(() => database.query(foreign, [late.id]))).toMatchObject({ embedded: 0 });
    expect(await database.embedding(late.id)).toBeUndefined();
    expect(await database.owes('embedding')).toEqual([late.id]);
  });

  test('a hard delete leaves no embedding behind', async () => {
    const { memory } = quick();
    const { id } = await memory.store({ userId: 'ada', content: 'gone' }, { defer: true });
    await during(() => memory.delete(id, { hard: true }));
    expect(await database.embedding(id)).toBeUndefined();
    expect(await database.owes('embedding')).not.toContain(id);
  });

  test('a memory that goes to another user takes its embedding along', async () => {
    const { memory } = quick();
    const { id } = await memory.store({ userId: 'ada', content: 'moved' }, { defer: true });
    await during(() => database.query("update memory_entries set user_id = 'bob' where id = $1", [id]));
    const users = 'select user_id from izzie_memory.memory_vectors where memory_id = $1';
    expect(await database.query(users, [id])).toEqual([{ user_id: 'bob' }]);
    expect(await memory.retrieve('ada', 'moved', { mode: 'vector' })).not.toContainEqual(
      expect.objectContaining({ id }),
    );
  });

  test('an abort gives the debts back at once', async () => {
    const { memory, sync } = quick();
    const { id } = await memory.store({ userId: 'ada', content: 'aborted' }, { defer: true });
    const controller = new AbortController();
    const asked = gate();
    const hang = () => {
      asked.open();
      return new Promise(() => {});
    };
    const hanging = database.layer({ embedder: callback(hang), extractor: 'none' });
    const outcome = hanging.sync.drain({ signal: controller.signal }).catch((error) => error);
    await asked.opened;
    controller.abort(new Error('enough'));
    expect(await outcome).toMatchObject({ message: 'enough' });
    const { items } = await sync.getQueue({ target: 'embedding' });
    expect(items.find(({ memoryId }) => memoryId === id)).toMatchObject({ attempts: 0 });
    expect(items.find(({ memoryId }) => memoryId === id)).not.toHaveProperty('leasedUntil');
    expect(await sync.drain()).toMatchObject({ pending: 0 });
    expect(await database.embedding(id)).toBeDefined();
  });
});

describe('what was deferred', () => {
  const database = useProvider();

  test('two instances share the work and pay each debt once', async () => {
    const seen = [];
    const atWork = new Set();
    const both = gate();
    const embed = (instance) => async (texts) => {
      seen.push(...texts);
      if (atWork.add(instance).size === 2) both.open();
      await both.opened; // The first is not done before the other has begun, however late that is.
      return texts.map(() => [1, 0, 0]);
    };
    const layers = [1, 2].map((n) =>
      database.layer({ embedder: callback(embed(n)), extractor: 'none', pool: { max: n + 1 } }),
    );
    await layers[0].memory.storeMany(notes('ada', 500, { defer: true }));
    const results = await Promise.all(layers.map(({ sync }) => sync.drain()));
    expect(seen).toHaveLength(500);
    expect(new Set(seen).size).toBe(500);
    expect(results[0].embedded + results[1].embedded).toBe(500);
    expect(Math.min(results[0].embedded, results[1].embedded)).toBeGreaterThan(0);
  });

  test('keeps to the bounds of drain', async () => {
    const { memory, sync } = database.layer({
      embedder: callback(async (texts) => texts.map(() => [1, 0, 0])),
    });
    await memory.storeMany(notes('cleo', 5, { defer: true }));
    const before = (await sync.getStats()).embedding.pending;
    expect(before).toBe(5);
    await sync.deltaSync();
    expect((await sync.getStats()).embedding.pending).toBe(5);
    expect(await sync.drain({ maxItems: 2 })).toMatchObject({ paid: 2 });
    await sync.drain();
    expect((await sync.getStats()).embedding.pending).toBe(0);
  });
});

describe('extraction', () => {
  const database = useProvider();
  const languageModel = () => ({
    provider: 'openai',
    baseUrl: database.provider.baseUrl,
    apiKey: 'sk-test',
    model: 'chat',
  });
  const inGraph = () =>
    database.query('select user_id, name from izzie_memory.graph_entities where frequency > 0 order by 1, 2');

  test('of a deferred memory is done by auto-sync and reaches the graph', async () => {
    const { memory, sync } = database.layer({ extractor: languageModel(), embedder: database.embedder() });
    const { id, revision } = await memory.store(
      { userId: 'ada', content: 'Grace Hopper wrote a compiler' },
      { defer: true },
    );
    expect((await memory.getById(id)).entities).toEqual([]);
    await sync.startAutoSync();
    await expect
      .poll(async () => (await memory.getById(id)).entities, { timeout: 90_000 })
      .toMatchObject([{ type: 'person', value: 'Grace Hopper' }]);
    await expect.poll(() => database.debts(), { timeout: 90_000 }).toEqual([]);
    await sync.stopAutoSync();
    expect((await memory.getById(id)).revision).toBeGreaterThan(revision);
    expect(await inGraph()).toEqual([{ user_id: 'ada', name: 'Grace Hopper' }]);
    expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
    expect(await database.embedding(id)).toHaveLength(64);
  });

  test('by a model that is down or talks nonsense is owed, and nothing is invented', async () => {
    const { memory, sync } = database.layer({ extractor: languageModel(), embedder: 'none' });
    await database.provider.down();
    const { id } = await memory.store({ userId: 'bob', content: 'Grace Hopper again' });
    expect(await sync.drain()).toMatchObject({ extracted: 0, refused: 0, pending: 1, dead: 0 });
    await database.provider.up();
    database.provider.fault = { body: 'nonsense' };
    expect(await sync.drain()).toMatchObject({ extracted: 0, pending: 1 });
    expect((await memory.getById(id)).entities).toEqual([]);
    database.provider.fault = null;
    expect(await sync.drain()).toMatchObject({ extracted: 1, pending: 0 });
    expect((await memory.getById(id)).entities).toMatchObject([{ value: 'Grace Hopper' }]);
  }, 240_000);

  test('gives way to entities that were given meanwhile, and to other content', async () => {
    const [entered, release] = [gate(), gate()];
    const slow = {
      extract: async ({ content }) => {
        if (content.startsWith('slow')) {
          entered.open();
          await release.opened;
        }
        return { entities: [{ type: 'topic', value: content }], relationships: [] };
      },
    };
    const { memory, sync } = database.layer({ extractor: slow, embedder: 'none' });
    const given = await memory.store({ userId: 'cleo', content: 'slow one' }, { defer: true });
    const changed = await memory.store({ userId: 'cleo', content: 'slow two' }, { defer: true });
    const drained = sync.drain();
    await entered.opened;
    await memory.update(given.id, { entities: [{ type: 'person', value: 'Ada Lovelace' }] });
    await memory.update(changed.id, { content: 'three' });
    release.open();
    expect(await drained).toMatchObject({ extracted: 0, refused: 0 });
    expect((await memory.getById(given.id)).entities).toMatchObject([{ value: 'Ada Lovelace' }]);
    expect((await memory.getById(changed.id)).entities).toMatchObject([{ value: 'three' }]);
    expect(await database.owes('extraction')).toEqual([]);
  });

  test('that finds nothing makes no revision', async () => {
    const nothing = { extract: async () => ({ entities: [], relationships: [] }) };
    const { memory, sync } = database.layer({ extractor: nothing, embedder: 'none' });
    const { id, revision } = await memory.store({ userId: 'dora', content: 'nothing' }, { defer: true });
    expect(await sync.drain()).toMatchObject({ extracted: 1 });
    expect((await memory.getById(id)).revision).toBe(revision);
  });
});
