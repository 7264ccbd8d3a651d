// What other code wrote, or was there before, costs nothing until somebody asks for it by backfill.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startOpenAi } from '../support/openai.mjs';
import { rejection, useDatabase } from './support.mjs';

const INSERT =
  'insert into memory_entries (user_id, content, metadata) select $1, content, $3 from unnest($2::text[]) as content returning id';

/** A database whose application writes rows by itself, and a provider that counts what it is asked. */
function useAdopted(options) {
  const database = useDatabase(options);
  beforeAll(async () => {
    database.provider = await startOpenAi({ chat: () => ({ entities: [], relationships: [] }) });
  });
  afterAll(() => database.provider.close());
  const service = () => ({ provider: 'openai', baseUrl: database.provider.baseUrl, apiKey: 'sk-test' });
  database.embedder = () => ({ ...service(), model: 'bag-of-words', dimensions: 64 });
  database.extractor = () => ({ ...service(), model: 'chat' });
  database.insert = async (userId, contents, metadata = {}) =>
    (await database.query(INSERT, [userId, contents, metadata])).map(({ id }) => id);
  return database;
}

const texts = (name, count) => Array.from({ length: count }, (_, n) => `${name} number ${n}`);

describe('rows of other code', () => {
  const database = useAdopted();

  test('cost nothing until backfill, which says the count first', async () => {
    const { memory, sync } = database.layer({
      embedder: database.embedder(),
      extractor: database.extractor(),
    });
    await memory.getStats('ada');
    const ids = await database.insert('ada', texts('foreign', 30));
    await database.insert('bob', texts('other', 5));
    await sync.startAutoSync();
    await sync.retryNow();
    await sync.drain();
    await sync.fullSync();
    await sleep(2500);
    await sync.stopAutoSync();
    expect(database.provider.requests).toEqual([]);
    const { pending, embedding, extraction } = await sync.getStats();
    expect({ pending, embedding, extraction }).toEqual({
      pending: 0,
      embedding: { pending: 0, waiting: 35, dead: 0 },
      extraction: { pending: 0, waiting: 35, dead: 0 },
    });
    expect(await sync.verify()).toMatchObject({ state: 'consistent' });

    const told = [];
    const onProgress = (progress) => told.push({ ...progress, asked: database.provider.requests.length });
    expect(await sync.backfill({ dryRun: true, onProgress })).toMatchObject({
      found: { embed: 35, extract: 35 },
      embedded: 0,
      extracted: 0,
      pending: 70,
    });
    expect(await sync.backfill({ extract: false, dryRun: true, userId: 'ada' })).toMatchObject({
      found: { embed: 30, extract: 0 },
    });
    expect(database.provider.requests).toEqual([]);
    const result = await sync.backfill({ userId: 'ada', embed: true, extract: false, onProgress });
    expect(result).toMatchObject({ embedded: 30, extracted: 0, failed: 0, pending: 0 });
    expect(told[0]).toMatchObject({ done: 0, total: 70, asked: 0 });
    expect(told.at(-1)).toMatchObject({ done: 30, total: 30 });
    expect(database.provider.texts).toHaveLength(30);
    expect(await memory.retrieve('ada', 'foreign number 7', { mode: 'vector', limit: 1 })).toMatchObject([
      { id: ids[7] },
    ]);

    expect(await sync.backfill()).toMatchObject({
      found: { embed: 5, extract: 35 },
      embedded: 5,
      extracted: 35,
    });
    expect((await sync.getStats()).extraction).toEqual({ pending: 0, waiting: 0, dead: 0 });
    expect(await sync.backfill()).toMatchObject({ found: { embed: 0, extract: 0 }, embedded: 0 });
  }, 240_000);

  test('that bring their entities need no extraction', async () => {
    const [id] = await database.insert('cleo', ['Ada Lovelace was here'], {
      entities: [{ type: 'person', value: 'Ada Lovelace', normalized: 'ada lovelace' }],
    });
    const debts = (await database.debts()).filter((debt) => debt.memory_id === id);
    expect(debts.map(({ target }) => target)).not.toContain('extraction');
  });

  test('are paid by free models without being asked for', async () => {
    const { memory, sync } = database.layer({ extractor: 'local', embedder: 'none' });
    const [id] = await database.insert('dora', ['Please ask grace@example.com about the compiler']);
    expect((await sync.getStats()).extraction.pending).toBeGreaterThan(0);
    expect(await sync.drain()).toMatchObject({ extracted: expect.any(Number) });
    expect((await memory.getById(id)).entities).toContainEqual(expect.objectContaining({ type: 'person' }));
    expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
  });

  test('whose content changes lose the embedding of the former one', async () => {
    const vector = `[${Array(1536).fill(0.5).join()}]`;
    const [id] = await database.insert('eve', ['before']);
    await database.query('update memory_entries set embedding = $2 where id = $1', [id, vector]);
    await database.query('update memory_entries set importance = 9 where id = $1', [id]);
    const column = 'select embedding is not null as there from memory_entries where id = $1';
    expect(await database.query(column, [id])).toEqual([{ there: true }]);
    await database.query("update memory_entries set content = 'after' where id = $1", [id]);
    expect(await database.query(column, [id])).toEqual([{ there: false }]);
  });
});

describe('an adopted database', () => {
  const vector = `[${Array(1536).fill(0.1).join()}]`;
  const database = useAdopted({
    before: async (query) => {
      await query('create extension vector');
      await query(`create table memory_entries (
        id uuid primary key default gen_random_uuid(), conversation_id uuid, user_id text not null,
        content text not null, summary text, metadata jsonb, embedding vector(1536), importance integer default 5,
        access_count integer default 0, last_accessed_at timestamp, is_deleted boolean default false,
        created_at timestamp not null default now(), updated_at timestamp not null default now())`);
      await query(
        `insert into memory_entries (user_id, content, embedding)
         select 'ada', 'adopted ' || n, case when n % 2 = 0 then '${vector}'::vector end from generate_series(1, 20) n`,
      );
    },
  });

  test('gives its column to the model of that name, and is filled by backfill', async () => {
    const provider = await startOpenAi({ dimensions: 1536 });
    const { sync } = database.layer({
      embedder: {
        provider: 'openai',
        baseUrl: provider.baseUrl,
        apiKey: 'sk-test',
        model: 'text-embedding-3-small',
        dimensions: 1536,
      },
      extractor: 'none',
    });
    await sync.drain();
    expect(provider.requests).toEqual([]);
    expect(await sync.backfill()).toMatchObject({ found: { embed: 10 }, embedded: 10, pending: 0 });
    expect(provider.texts).toHaveLength(10);
    await provider.close();
    const counts = `select count(embedding)::int as column, (select count(*)::int from izzie_memory.memory_vectors) as beside
      from memory_entries`;
    expect(await database.query(counts)).toEqual([{ column: 20, beside: 0 }]);
  });

  test('of another model is refused with both names, and so is an embedder that is missing', async () => {
    const other = database.layer({ embedder: database.embedder(), extractor: 'none' });
    const error = await rejection(other.sync.backfill({ embed: true }));
    expect(error).toMatchObject({ reason: 'EMBEDDING_SPACE_MISMATCH' });
    expect(error.message).toMatch(/bag-of-words.*text-embedding-3-small.*reembed/);
    expect(await other.sync.backfill()).toMatchObject({ found: { embed: 0, extract: 0 } });
    const none = database.layer({ embedder: 'none', extractor: 'none' });
    expect(await rejection(none.sync.backfill({ embed: true }))).toMatchObject({ reason: 'NOT_CONFIGURED' });
  });
});

describe('a backfill', () => {
  const database = useAdopted();

  test('fills what was stored while the vector store was off', async () => {
    const off = database.layer({
      embedder: database.embedder(),
      extractor: 'none',
      persistence: { enableVectorStore: false },
    });
    await off.memory.store({ userId: 'ada', content: 'without' });
    const { sync } = database.layer({ embedder: database.embedder(), extractor: 'none' });
    expect(await sync.drain()).toMatchObject({ embedded: 0, pending: 0 });
    expect(await sync.backfill()).toMatchObject({ found: { embed: 1 }, embedded: 1 });
  });

  test('that the provider leaves in the lurch says so, and the next one does the rest', async () => {
    const { sync } = database.layer({ embedder: database.embedder(), extractor: 'none' });
    await database.insert('ada', texts('many', 200));
    database.provider.next({}, { status: 401 });
    const error = await rejection(sync.backfill());
    expect(error).toMatchObject({ reason: 'EMBEDDING_FAILED', details: { embedded: 128, status: 401 } });
    expect(await sync.backfill()).toMatchObject({ found: { embed: 72 }, embedded: 72, pending: 0 });
  });

  test('that is aborted leaves nothing that costs behind', async () => {
    const { sync } = database.layer({ embedder: database.embedder(), extractor: 'none' });
    await database.insert('bob', texts('much', 50));
    database.provider.next({ hang: true });
    database.provider.requests.length = 0;
    const controller = new AbortController();
    const outcome = sync.backfill({ signal: controller.signal }).catch((error) => error);
    await expect.poll(() => database.provider.requests.length).toBe(1);
    controller.abort(new Error('enough'));
    expect(await outcome).toMatchObject({ message: 'enough' });
    database.provider.requests.length = 0;
    expect(await sync.drain()).toMatchObject({ embedded: 0 });
    expect(database.provider.requests).toEqual([]);
    expect((await sync.getStats()).embedding).toMatchObject({ pending: 0, waiting: 50 });
  });

  test.each([
    [{ embed: 'yes' }, 'embed'],
    [{ userId: '' }, 'userId'],
    [{ users: [] }, 'users'],
    [{ onProgress: 1 }, 'onProgress'],
  ])('refuses %j', async (options, field) => {
    const { sync } = database.layer({ extractor: 'none' });
    const error = await rejection(sync.backfill(options));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect(error.message).toContain(field);
  });
});
