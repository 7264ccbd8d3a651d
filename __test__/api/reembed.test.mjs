// Changing the embedder's model: online, resumable, the former space in use until the new one is complete.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startOpenAi } from '../support/openai.mjs';
import { gate, rejection, useDatabase } from './support.mjs';

const CHILD = fileURLToPath(new URL('./children/reembed.mjs', import.meta.url));
const MEMORIES = 10_000;
const IDLE = { extractor: 'none', persistence: { enableGraphStore: false } };

/** Vectors that tell by their first number which model made them. */
const model = (name, mark, dimensions, calls = []) => ({
  ...IDLE,
  embedder: {
    model: name,
    dimensions,
    embed: async (texts) => {
      calls.push(...texts);
      return texts.map((text) => [mark, text.length, ...Array(dimensions - 2).fill(1)]);
    },
  },
});

const spacesOf = (database) =>
  database.query(
    `select model, dimensions, current, filling,
       (select count(*)::int from izzie_memory.memory_vectors v where v.space_id = s.space_id) as vectors
     from izzie_memory.embedding_spaces s order by model`,
  );

describe('another model', () => {
  const database = useDatabase();
  const old = model('former', 1, 3);
  const next = model('latter', 2, 4);
  let stored;

  beforeAll(async () => {
    const { memory } = database.layer(old);
    const entries = ['one', 'two', 'three'].map((content) => ({ userId: 'ada', content }));
    ({ stored } = await memory.storeMany(entries));
  });

  test('is refused where vectors are compared, with both names and the way out', async () => {
    const { memory } = database.layer(next);
    const error = await rejection(memory.retrieve('ada', 'one', { mode: 'vector' }));
    expect(error).toMatchObject({
      reason: 'EMBEDDING_SPACE_MISMATCH',
      retryable: false,
      details: { model: 'latter', dimensions: 4, currentModel: 'former', currentDimensions: 3 },
    });
    expect(error.message).toMatch(/latter.*former.*reembed/);
    expect(await memory.retrieve('ada', 'one')).toMatchObject([{ content: 'one' }]);
  });

  test('takes over by reembed, with what was written meanwhile', async () => {
    const [entered, release] = [gate(), gate()];
    const slow = {
      ...IDLE,
      embedder: {
        ...next.embedder,
        embed: async (texts) => {
          entered.open();
          await release.opened;
          return next.embedder.embed(texts);
        },
      },
    };
    const told = [];
    const { sync } = database.layer(slow);
    const reembedded = sync.reembed({ onProgress: (progress) => told.push(progress) });
    await entered.opened;
    const { memory } = database.layer(old);
    const added = await memory.store({ userId: 'ada', content: 'meanwhile' });
    await memory.update(stored[1].id, { content: 'two and more' });
    await memory.delete(stored[2].id, { hard: true });
    const foreign =
      "insert into memory_entries (user_id, content) values ('ada', 'of other code') returning id";
    const [{ id: other }] = await database.query(foreign);
    expect(await memory.retrieve('ada', 'one', { mode: 'vector', limit: 1 })).toMatchObject([
      { content: expect.any(String), similarity: expect.closeTo(1) },
    ]);
    release.open();
    expect(await reembedded).toMatchObject({
      model: 'latter',
      dimensions: 4,
      failed: 0,
      resumed: false,
      duration: expect.any(Number),
    });
    expect(told[0].total).toBe(3);

    expect(await spacesOf(database)).toEqual([
      { model: 'latter', dimensions: 4, current: true, filling: false, vectors: 4 },
      { model: 'text-embedding-3-small', dimensions: 1536, current: false, filling: false, vectors: 0 },
    ]);
    const lengths = 'select memory_id as id, embedding::text from izzie_memory.memory_vectors';
    const vectors = new Map(
      (await database.query(lengths)).map(({ id, embedding }) => [id, JSON.parse(embedding)]),
    );
    expect(vectors.get(stored[1].id)).toEqual([2, 'two and more'.length, 1, 1]);
    expect(vectors.get(added.id)).toEqual([2, 'meanwhile'.length, 1, 1]);
    expect(vectors.get(other)).toEqual([2, 'of other code'.length, 1, 1]);
    expect((await database.debts()).filter(({ target }) => target === 'embedding')).toEqual([]);
    expect(await database.query('select * from izzie_memory.jobs')).toEqual([]);
  }, 240_000);

  test('is noticed by instances of the former one, which never write into the new space', async () => {
    const { memory } = database.layer(old);
    const { id } = await memory.store({ userId: 'ada', content: 'from the former' });
    expect((await database.debts()).filter(({ target }) => target === 'embedding')).toMatchObject([
      { memory_id: id },
    ]);
    expect((await memory.getHealth()).reasons.map(({ code }) => code)).toContain('EMBEDDING_SPACE_MISMATCH');
    const { sync } = database.layer(next);
    expect(await sync.drain()).toMatchObject({ embedded: 1 });
  });

  test('that is the stored one already costs nothing', async () => {
    const calls = [];
    const { sync } = database.layer(model('latter', 2, 4, calls));
    expect(await sync.reembed()).toMatchObject({ embedded: 0, failed: 0, resumed: false });
    expect(calls).toEqual([]);
  });

  test('needs an embedder', async () => {
    const { sync } = database.layer({ ...IDLE, embedder: 'none' });
    expect(await rejection(sync.reembed())).toMatchObject({ reason: 'NOT_CONFIGURED' });
  });

  test('that does not answer is the error; the next call goes on, one to a third model begins anew', async () => {
    const failing = database.layer({
      ...IDLE,
      embedder: { model: 'failing', dimensions: 5, embed: () => Promise.reject(new Error('down')) },
    });
    expect(await rejection(failing.sync.reembed())).toMatchObject({ reason: 'EMBEDDING_FAILED' });
    expect(await spacesOf(database)).toContainEqual(
      expect.objectContaining({ model: 'failing', filling: true, vectors: 0 }),
    );
    const { memory, sync } = database.layer(model('third', 3, 6));
    expect(await sync.reembed()).toMatchObject({ model: 'third', embedded: 5, resumed: false });
    expect((await spacesOf(database)).map(({ model }) => model)).toEqual(['text-embedding-3-small', 'third']);
    expect(await memory.retrieve('ada', 'x', { mode: 'vector', limit: 9 })).toHaveLength(5);
  }, 240_000);

  test('of 3,072 dimensions is one like any other', async () => {
    const { memory, sync } = database.layer(model('large', 4, 3072));
    expect(await sync.reembed()).toMatchObject({ dimensions: 3072, embedded: 5 });
    const { id } = await memory.store({ userId: 'ada', content: 'in a large space' });
    const found = await memory.retrieve('ada', 'in a large space', { mode: 'vector', limit: 1 });
    expect(found).toMatchObject([{ id, similarity: expect.closeTo(1) }]);
  }, 240_000);
});

describe("the application's column", () => {
  const database = useDatabase();
  const app = model('text-embedding-3-small', 1, 1536);

  test('is left as it is, and is filled again on the way back', async () => {
    const calls = [];
    const { memory } = database.layer(app);
    await memory.store({ userId: 'ada', content: 'kept' });
    const other = database.layer(model('other', 2, 3));
    await other.sync.reembed();
    const column = 'select content, embedding is not null as there from memory_entries order by content';
    expect(await database.query(column)).toEqual([{ content: 'kept', there: true }]);
    await other.memory.store({ userId: 'ada', content: 'later' });
    const back = database.layer(model('text-embedding-3-small', 1, 1536, calls));
    expect(await back.sync.reembed()).toMatchObject({ embedded: 1 });
    expect(calls).toEqual(['later']);
    expect(await database.query(column)).toEqual([
      { content: 'kept', there: true },
      { content: 'later', there: true },
    ]);
    expect(await database.query('select * from izzie_memory.memory_vectors')).toEqual([]);
  }, 240_000);
});

describe('a transaction that began before the switch', () => {
  const database = useDatabase();

  test('and wrote for the space before is owed what it lacks', async () => {
    await database.layer(model('text-embedding-3-small', 1, 1536)).memory.getStats('ada');
    await database
      .layer(model('text-embedding-3-small', 1, 1536))
      .memory.store({ userId: 'ada', content: 'one' });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('begin');
    const vector = `[${Array(1536).fill(0.1).join()}]`;
    const insert =
      "insert into memory_entries (user_id, content, embedding) values ('ada', 'late', $1) returning id";
    const { id } = (await client.query(insert, [vector])).rows[0];
    const { sync, memory } = database.layer(model('other', 2, 3));
    const reembedded = sync.reembed();
    const current = 'select model from izzie_memory.embedding_spaces where current';
    await expect.poll(() => database.query(current), { timeout: 90_000 }).toEqual([{ model: 'other' }]);
    await client.query('commit');
    await client.end();
    expect(await reembedded).toMatchObject({ embedded: 1 });
    expect((await database.debts()).filter(({ target }) => target === 'embedding')).toMatchObject([
      { memory_id: id },
    ]);
    expect(await sync.drain()).toMatchObject({ embedded: 1 });
    expect(await memory.retrieve('ada', 'late', { mode: 'vector' })).toHaveLength(2);
  }, 240_000);
});

describe(`a reembed of ${MEMORIES} memories`, () => {
  const database = useDatabase();
  let provider;

  const config = (name, dimensions) => ({
    ...IDLE,
    databaseUrl: database.url,
    graphStore: 'postgres',
    embedder: { provider: 'openai', baseUrl: provider.baseUrl, apiKey: 'sk-test', model: name, dimensions },
  });

  /** A process of its own, and the lines it has said. */
  function start(script, configuration) {
    const child = spawn(process.execPath, [CHILD, script, JSON.stringify(configuration)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = [];
    child.stdout.setEncoding('utf8').on('data', (chunk) => lines.push(...chunk.split('\n').filter(Boolean)));
    return { lines, kill: () => child.kill('SIGKILL') && once(child, 'close') };
  }

  beforeAll(async () => {
    provider = await startOpenAi({ dimensions: 32 });
    await database.query(
      `insert into memory_entries (user_id, content)
       select 'ada', format('note %s about topic%s', n, n) from generate_series(1, ${MEMORIES}) n`,
    );
    const { sync } = database.layer(config('former', 32));
    expect(await sync.backfill()).toMatchObject({ embedded: MEMORIES, pending: 0 });
  }, 480_000);
  afterAll(() => provider.close());

  test('that is killed goes on in another process, and search works throughout', async () => {
    const former = start('search', config('former', 32));
    const latter = start('search', config('latter', 32));
    provider.requests.length = 0;
    const killed = start('reembed', config('latter', 32));
    await expect
      .poll(() => Number(killed.lines.at(-1)?.split(' ').at(1) ?? 0), { timeout: 60_000, interval: 20 })
      .toBeGreaterThan(2000);
    await killed.kill();
    const byBoth = former.lines.length;
    await expect.poll(() => former.lines.length, { timeout: 90_000 }).toBeGreaterThan(byBoth + 5);
    expect(new Set(former.lines)).toEqual(new Set(['found by both']));
    expect(new Set(latter.lines)).toEqual(new Set(['found by text']));
    expect(await spacesOf(database)).toMatchObject([
      { model: 'former', current: true, vectors: MEMORIES },
      { model: 'latter', filling: true },
      { model: 'text-embedding-3-small' },
    ]);

    const { memory, sync } = database.layer(config('latter', 32));
    const { id } = await memory.store({ userId: 'ada', content: 'written in between' });
    const result = await sync.reembed();
    expect(result).toMatchObject({ model: 'latter', dimensions: 32, failed: 0, resumed: true });
    expect(result.embedded).toBeLessThanOrEqual(MEMORIES + 1 - 2000);
    const texts = provider.texts.filter((text) => text !== 'note 4321 about topic4321');
    // The batch that the killed process was at may have been asked for twice.
    expect(texts.length - new Set(texts).size).toBeLessThanOrEqual(128);
    expect(await spacesOf(database)).toEqual([
      { model: 'latter', dimensions: 32, current: true, filling: false, vectors: MEMORIES + 1 },
      expect.objectContaining({ model: 'text-embedding-3-small', current: false }),
    ]);
    expect(await memory.retrieve('ada', 'written in between', { mode: 'vector', limit: 1 })).toMatchObject([
      { id },
    ]);
    await expect.poll(() => latter.lines.at(-1), { timeout: 90_000 }).toBe('found by both');
    await expect.poll(() => former.lines.at(-1), { timeout: 90_000 }).toBe('found by text');
    expect([...former.lines, ...latter.lines].filter((line) => !line.startsWith('found'))).toEqual([]);
    await Promise.all([former.kill(), latter.kill()]);
  }, 720_000);
});
