// Embedders that are missing, fail or have changed: memories are kept, embeddings owed, reads fall back to text.
import * as api from 'izzie-memory';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startOpenAi } from '../support/openai.mjs';
import { rejection, useDatabase } from './support.mjs';

const entry = (content) => ({ userId: 'ada', content });
const codes = ({ reasons }) => reasons.map(({ code }) => code);

/** An embedder of the space 'good' that may do anything. */
const embedder = (embed) => ({ model: 'good', dimensions: 3, embed });
const good = embedder(async (texts) => texts.map(() => [1, 0, 0]));

const BAD = [
  ['rejects', async () => Promise.reject(new Error('canary-secret 503'))],
  [
    'throws',
    () => {
      throw new Error('canary-secret');
    },
  ],
  ['rejects with nothing', () => Promise.reject()],
  ['returns undefined', () => undefined],
  ['returns text', async () => 'nonsense'],
  ['returns no embedding', async () => []],
  ['returns too many', async () => Array(2).fill([1, 0, 0])],
  ['returns another length', async (texts) => texts.map(() => [1, 0])],
  ['returns NaN', async (texts) => texts.map(() => [1, Number.NaN, 0])],
  ['returns nulls', async (texts) => texts.map(() => null)],
  ['returns objects', async (texts) => texts.map(() => ({ 0: 1, 1: 0, 2: 0, length: 3 }))],
];

describe('an embedder that', () => {
  const database = useDatabase();
  const owed = async (id) => (await database.debts()).filter((debt) => debt.memory_id === id);

  test.each(BAD)('%s: the memory is kept, its embedding owed', async (name, embed) => {
    const { memory, persistence } = database.layer({ embedder: embedder(embed) });
    const stored = await memory.store(entry(`stored although it ${name}`));
    expect(stored.metadata).toMatchObject({
      created: true,
      vectorWriteSuccess: true,
      graphWriteSuccess: true,
    });
    expect(await owed(stored.id)).toMatchObject([{ target: 'embedding', state: 'pending' }]);
    const updated = await persistence.update({ id: stored.id, content: `updated although it ${name}` });
    expect(updated).toMatchObject({ success: true, data: { content: `updated although it ${name}` } });

    const [found] = await memory.retrieve('ada', `updated although ${name}`);
    expect(found.id).toBe(stored.id);
    expect(found).not.toHaveProperty('similarity');
    const error = await rejection(memory.retrieve('ada', 'anything', { mode: 'vector' }));
    expect(error).toBeInstanceOf(api.PersistenceError);
    expect(error).toMatchObject({ code: 'EMBEDDING_FAILED', reason: 'EMBEDDING_FAILED', retryable: true });
    expect(codes(await memory.getHealth())).toContain('EMBEDDING_FAILED');
  });

  test('works again is used again', async () => {
    let works = false;
    const { memory } = database.layer({
      embedder: embedder(async (texts) => {
        if (!works) throw new Error('down');
        return texts.map(() => [0, 1, 0]);
      }),
    });
    await memory.store(entry('while it was down'));
    works = true;
    const { id } = await memory.store(entry('when it was up'));
    expect(await owed(id)).toEqual([]);
    const found = await memory.retrieve('ada', 'anything', { mode: 'vector' });
    expect(found).toMatchObject([{ id, similarity: 1 }]);
    expect(codes(await memory.getHealth())).not.toContain('EMBEDDING_FAILED');
  });

  test('fails for new content leaves no embedding of the old one', async () => {
    let fails = false;
    const { memory } = database.layer({
      embedder: embedder(async (texts) => {
        if (fails) throw new Error('down');
        return texts.map((text) => (text === 'first words' ? [1, 0, 0] : [0, 0, 1]));
      }),
    });
    const { id } = await memory.store({ userId: 'grace', content: 'first words' });
    fails = true;
    await memory.update(id, { content: 'other words' });
    expect(await owed(id)).toMatchObject([{ target: 'embedding' }]);
    fails = false;
    expect(await memory.retrieve('grace', 'first words', { mode: 'vector' })).toEqual([]);
    await memory.update(id, { content: 'last words' });
    expect(await owed(id)).toEqual([]);
    expect(await memory.retrieve('grace', 'any', { mode: 'vector' })).toMatchObject([{ id, similarity: 1 }]);
  });

  test('is called once per text, with a signal', async () => {
    const calls = [];
    const { memory } = database.layer({
      embedder: embedder(async (texts, { signal }) => {
        calls.push({ texts, aborted: signal.aborted });
        return texts.map(() => Float32Array.of(0, 0, 1));
      }),
    });
    await memory.store(entry('embed me'));
    await memory.retrieve('ada', 'ask me');
    expect(calls).toEqual([
      { texts: ['embed me'], aborted: false },
      { texts: ['ask me'], aborted: false },
    ]);
  });

  test('is not called where nothing needs it', async () => {
    const { memory } = database.layer({
      embedder: embedder(() => {
        throw new Error('called');
      }),
    });
    const { id } = await memory.store(entry('has its own'), { embedding: [1, 0, 0] });
    await memory.update(id, { importance: 7, metadataPatch: { a: 1 } });
    await memory.retrieve('ada', 'own', { mode: 'text' });
    await memory.store(entry('later'), { defer: true });
    expect(await owed(id)).toEqual([]);
    expect(codes(await memory.getHealth())).not.toContain('EMBEDDING_FAILED');
  });
});

describe('without an embedder', () => {
  const database = useDatabase();
  let memory;
  let stored;

  beforeAll(async () => {
    ({ memory } = database.layer({ embedder: 'none' }));
    stored = await memory.store(entry('the lighthouse keeper'));
  });

  test('memories are stored and owe an embedding', async () => {
    expect(await database.debts()).toMatchObject([{ target: 'embedding', memory_id: stored.id }]);
  });

  test('search is by text, whatever the threshold', async () => {
    for (const options of [undefined, { threshold: 0.99 }, { mode: 'text' }]) {
      expect((await memory.retrieve('ada', 'lighthouse', options)).map(({ id }) => id)).toEqual([stored.id]);
    }
  });

  test('only mode vector rejects', async () => {
    const error = await rejection(memory.retrieve('ada', 'lighthouse', { mode: 'vector' }));
    expect(error).toBeInstanceOf(api.PersistenceError);
    expect(error).toMatchObject({ code: 'NOT_CONFIGURED', reason: 'NOT_CONFIGURED' });
  });

  test('health says so, and is healthy', async () => {
    const health = await memory.getHealth();
    expect(health.status).toBe('healthy');
    expect(codes(health)).toEqual(['NO_EMBEDDER']);
  });
});

describe('an embedder of another space than the stored vectors', () => {
  const database = useDatabase();
  const before = { embedder: good };
  const after = {
    embedder: { model: 'better', dimensions: 4, embed: async (texts) => texts.map(() => [1, 0, 0, 0]) },
  };
  let old;

  beforeAll(async () => {
    const { memory } = database.layer(before);
    old = await memory.store(entry('an old lighthouse'));
  });

  test('writes succeed and owe', async () => {
    const { memory } = database.layer(after);
    const { id, metadata } = await memory.store(entry('a new windmill'));
    expect(metadata).toMatchObject({ created: true, vectorWriteSuccess: true });
    expect(await database.debts()).toMatchObject([{ target: 'embedding', memory_id: id }]);
  });

  test('reads fall back to text, and only mode vector rejects', async () => {
    const { memory } = database.layer(after);
    const found = await memory.retrieve('ada', 'lighthouse');
    expect(found[0].id).toBe(old.id);
    expect(found[0]).not.toHaveProperty('similarity');
    const error = await rejection(memory.retrieve('ada', 'lighthouse', { mode: 'vector' }));
    expect(error).toMatchObject({ name: 'PersistenceError', code: 'EMBEDDING_SPACE_MISMATCH' });
  });

  test('health says so', async () => {
    const health = await database.layer(after).memory.getHealth();
    expect(codes(health)).toEqual(['EMBEDDING_SPACE_MISMATCH']);
    expect(health.reasons[0].message).toMatch(/better.*good/);
  });

  test('the same model with other dimensions is another space', async () => {
    const { memory } = database.layer({ embedder: { ...after.embedder, model: 'good' } });
    expect(codes(await memory.getHealth())).toEqual(['EMBEDDING_SPACE_MISMATCH']);
  });

  test('the old embedder still searches by vector', async () => {
    const { memory } = database.layer(before);
    expect(await memory.retrieve('ada', 'x', { mode: 'vector' })).toMatchObject([
      { id: old.id, similarity: 1 },
    ]);
  });
});

describe('an OpenAI-compatible embedder', () => {
  const KEY = 'canary-key';
  const database = useDatabase();
  let server;

  const layer = (more) =>
    database.layer({
      embedder: {
        provider: 'openai',
        baseUrl: server.baseUrl,
        apiKey: KEY,
        model: 'tiny',
        dimensions: 64,
        ...more,
      },
    });
  const owing = async () => (await database.debts()).filter(({ target }) => target === 'embedding');

  beforeAll(async () => {
    server = await startOpenAi();
  });

  beforeEach(async () => {
    server.requests = [];
    await database.query('truncate memory_entries');
    await database.query('truncate izzie_memory.memory_sync');
  });

  afterEach(() => {
    server.fault = null;
  });

  afterAll(() => server.close());

  test('is asked with its key and model, once for each text', async () => {
    const { memory } = layer();
    const { id } = await memory.store(entry('tea with Grace'));
    expect(server.requests[0]).toMatchObject({
      path: '/v1/embeddings',
      key: KEY,
      body: { model: 'tiny', input: ['tea with Grace'] },
    });
    for (let times = 0; times < 3; times += 1) {
      const found = await memory.retrieve('ada', 'tea', { mode: 'vector' });
      expect(found).toMatchObject([{ id, similarity: expect.closeTo(Math.sqrt(1 / 3), 5) }]);
    }
    expect(server.texts).toEqual(['tea with Grace', 'tea']);
  });

  test('gets a chunk in as many requests as batchSize says', async () => {
    const { memory } = layer({ batchSize: 4 });
    const { stored } = await memory.storeMany(
      Array.from({ length: 10 }, (_, index) => entry(`note ${index}`)),
    );
    expect(stored).toHaveLength(10);
    expect(server.requests.map(({ body }) => body.input.length)).toEqual([4, 4, 2]);
    expect(await owing()).toEqual([]);
  });

  test.each([
    ['limits the rate', { status: 429, retryAfter: 1 }],
    ['is in trouble', { status: 503 }],
    ['cuts its JSON off', { truncate: true }],
    ['loses the connection', { cut: true }],
  ])('that %s once is asked again, and nothing is owed', async (_name, fault) => {
    server.next(fault);
    const { id } = await layer().memory.store(entry(`kept although it ${_name}`));
    expect(server.requests).toHaveLength(2);
    expect(await owing()).toEqual([]);
    const column =
      'select vector_dims(embedding) as dimensions from izzie_memory.memory_vectors where memory_id = $1';
    expect(await database.query(column, [id])).toEqual([{ dimensions: 64 }]);
  });

  const shorter = (answer) => ({
    ...answer,
    data: answer.data.map((item) => ({ ...item, embedding: [1, 2, 3] })),
  });
  const withNull = (answer) => {
    answer.data[0].embedding[7] = null;
    return answer;
  };

  test.each([
    ['refuses the key', { status: 401 }, false],
    ['asks for a long pause', { status: 429, retryAfter: 3600 }, true],
    ['is slow', { delayMs: 2000 }, true],
    ['answers with other dimensions', { change: shorter }, false],
    ['answers with a null', { change: withNull }, false],
    ['answers with fewer vectors', { change: (answer) => ({ ...answer, data: [] }) }, false],
    ['answers with words', { body: `<html>${KEY}</html>` }, true],
  ])('that %s: the memory is kept, its embedding owed, the key unseen', async (name, fault, retryable) => {
    server.fault = fault;
    const { memory, sync } = layer({ timeoutMs: fault.delayMs ? 300 : 10_000 });
    const { id, metadata } = await memory.store(entry(`kept although it ${name}`));
    expect(metadata).toMatchObject({ created: true, vectorWriteSuccess: true });
    expect(await owing()).toMatchObject([{ memory_id: id }]);
    expect(
      await database.query('select from izzie_memory.memory_vectors where memory_id = $1', [id]),
    ).toEqual([]);

    const error = await rejection(memory.retrieve('ada', `asked although it ${name}`, { mode: 'vector' }));
    expect(error).toMatchObject({ code: 'EMBEDDING_FAILED', details: { retryable } });
    const health = await memory.getHealth();
    expect(codes(health)).toContain('EMBEDDING_FAILED');
    const queue = await sync.getQueue();
    expect(JSON.stringify([error, error.stack, health, queue])).not.toContain('canary');
  });

  test('that is away is not invented, and works when it is back', async () => {
    const { memory, sync } = layer();
    await server.down();
    const { id } = await memory.store(entry('while it was away'));
    expect(await owing()).toMatchObject([{ memory_id: id }]);
    expect(await rejection(memory.retrieve('ada', 'away', { mode: 'vector' }))).toMatchObject({
      code: 'EMBEDDING_FAILED',
      retryable: true,
    });
    await server.up();
    await sync.drain();
    expect(await owing()).toEqual([]);
    expect(await memory.retrieve('ada', 'away', { mode: 'vector' })).toMatchObject([{ id }]);
  });
});

describe('the offline embedder', () => {
  const database = useDatabase();
  const layer = () => database.layer({ embedder: 'local' });

  test('finds by meaning, with nothing configured and nothing owed', async () => {
    const { memory } = layer();
    const notes = ['The dentist is on Friday.', 'Ada plays the piano.', 'My sister is allergic to peanuts.'];
    const { stored } = await memory.storeMany(notes.map(entry));
    const [found] = await memory.retrieve('ada', 'a doctor for my teeth', { mode: 'vector' });
    expect(found).toMatchObject({ id: stored[0].id, similarity: expect.any(Number) });
    expect(await database.debts()).toEqual([]);
    expect(await memory.getHealth()).toMatchObject({ status: 'healthy', reasons: [] });
    const space = 'select model, dimensions from izzie_memory.embedding_spaces where current';
    expect(await database.query(space)).toEqual([{ model: 'minilm-static-1', dimensions: 256 }]);
  });

  test('stores what it knows no word of without a vector, and owes none', async () => {
    const { memory, sync } = layer();
    const [now, later] = [
      await memory.store(entry('🙂')),
      await memory.store(entry('🙃🙃'), { defer: true }),
    ];
    await memory.store(entry('日本語'));
    await sync.drain();
    expect(await database.debts()).toEqual([]);
    const vectors = 'select memory_id from izzie_memory.memory_vectors where memory_id = any ($1::uuid[])';
    expect(await database.query(vectors, [[now.id, later.id]])).toEqual([]);
    expect((await memory.getById(now.id)).content).toBe('🙂');
    expect(await memory.retrieve('ada', '🙂', { mode: 'vector' })).toEqual([]);
    const [best] = await memory.retrieve('ada', 'piano 🙂');
    expect(best.content).toBe('Ada plays the piano.');
    expect(await memory.retrieve('ada', '🙂')).toEqual(expect.any(Array));
    expect(await memory.getHealth()).toMatchObject({ status: 'healthy', reasons: [] });
  });
});
