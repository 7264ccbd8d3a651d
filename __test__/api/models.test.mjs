// Embedders that are missing, fail or have changed: memories are kept, embeddings owed, reads fall back to text.
import { once } from 'node:events';
import { createServer } from 'node:http';
import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  const database = useDatabase();
  const requests = [];
  let server;
  let baseUrl;

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      let text = '';
      for await (const piece of request.setEncoding('utf8')) text += piece;
      const body = JSON.parse(text);
      requests.push({ url: request.url, key: request.headers.authorization, ...body });
      const data = body.input.map((_, index) => ({ index, embedding: [0, 1, 0, 0] }));
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    baseUrl = `http://127.0.0.1:${server.address().port}/v1`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('is asked with its key and model', async () => {
    const embedder = { provider: 'openai', baseUrl, apiKey: 'canary-key', model: 'tiny', dimensions: 4 };
    const { memory } = database.layer({ embedder });
    const { id } = await memory.store(entry('by HTTP'));
    expect(requests[0]).toMatchObject({
      url: '/v1/embeddings',
      key: 'Bearer canary-key',
      model: 'tiny',
      input: ['by HTTP'],
    });
    expect(await memory.retrieve('ada', 'x', { mode: 'vector' })).toMatchObject([{ id, similarity: 1 }]);
    server.closeAllConnections();
    server.close();
    const error = await rejection(memory.retrieve('ada', 'y', { mode: 'vector' }));
    expect(error).toMatchObject({ code: 'EMBEDDING_FAILED', retryable: true });
    const kept = await memory.store(entry('while it is away'));
    expect(kept.metadata.vectorWriteSuccess).toBe(true);
    const seen = JSON.stringify([error, error.stack, await memory.getHealth()]);
    expect(seen).not.toContain('canary');
  });
});
