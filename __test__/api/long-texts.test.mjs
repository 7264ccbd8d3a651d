// Texts that are longer than the embedding service takes: embedded in pieces, told at the memory, found by each part.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startOpenAi, vectorOf } from '../support/openai.mjs';
import { rejection, useDatabase } from './support.mjs';

const BYTES = 600;
const FILLER = 'The committee met again and talked about budgets, roofs and parking.';

/** A text of so many bytes at least, with one sentence in its middle. */
function longText(sentence, bytes = 4000) {
  const half = Array(Math.ceil(bytes / 2 / FILLER.length)).fill(FILLER);
  return [...half, sentence, ...half].join(' ');
}

function cosine(one, other) {
  return one.reduce((sum, number, place) => sum + number * other[place], 0);
}

const database = useDatabase();
let provider;

beforeAll(async () => {
  provider = await startOpenAi();
});
afterAll(() => provider.close());
beforeEach(() => {
  provider.limit = { bytes: BYTES };
  provider.requests.length = 0;
});

const layerOf = (model = 'bag-of-words', config = {}) =>
  database.layer({
    extractor: 'none',
    ...config,
    embedder: { provider: 'openai', baseUrl: provider.baseUrl, apiKey: 'sk-test', model, dimensions: 64 },
  });
const owed = async (id) =>
  (await database.debts()).filter((debt) => debt.target === 'embedding' && debt.memory_id === id);
const embeddingOf = async (id) => {
  const sql = `select embedding::text from izzie_memory.memory_vectors v
    join izzie_memory.embedding_spaces s using (space_id) where s.current and memory_id = $1`;
  const [row] = await database.query(sql, [id]);
  return JSON.parse(row.embedding);
};

describe('a text beyond the limit', () => {
  let memory;
  let persistence;
  let sync;

  beforeAll(() => {
    ({ memory, persistence, sync } = layerOf());
  });

  test('is stored with the mean of its pieces, and the memory says so in every read', async () => {
    const content = longText('Zeppelins need helium.');
    const stored = await memory.store({ userId: 'ada', content });
    expect(await owed(stored.id)).toEqual([]);
    const pieces = { count: expect.any(Number), bytes: Buffer.byteLength(content) };
    expect(stored.embeddingPieces).toEqual(pieces);
    expect(stored.embeddingPieces.count).toBeGreaterThanOrEqual(7);
    expect(stored.embeddingPieces.count).toBeLessThanOrEqual(64);
    expect(await memory.getById(stored.id)).toMatchObject({ embeddingPieces: stored.embeddingPieces });
    const found = await memory.retrieve('ada', 'Zeppelins need helium.', { mode: 'vector' });
    expect(found).toMatchObject([{ id: stored.id, embeddingPieces: pieces }]);
    const row = await persistence.update({ id: stored.id, importance: 7 });
    expect(row.data.embeddingPieces).toEqual(stored.embeddingPieces);
    const vector = await embeddingOf(stored.id);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
    expect(cosine(vector, vectorOf(content))).toBeGreaterThan(0.9);
  });

  test('a short one has no such word, nor has a long one whose content became short', async () => {
    const { id, ...short } = await memory.store({ userId: 'bea', content: 'short' });
    expect(short).not.toHaveProperty('embeddingPieces');
    const content = longText('Herons fish at dawn.');
    const updated = await persistence.update({ id, content });
    expect(updated.data.embeddingPieces).toMatchObject({ bytes: Buffer.byteLength(content) });
    const again = await persistence.update({ id, importance: 9 });
    expect(again.data.embeddingPieces).toEqual(updated.data.embeddingPieces);
    await persistence.update({ id, content: 'short again' });
    expect(await memory.getById(id)).not.toHaveProperty('embeddingPieces');
    await persistence.update({ id, content });
    expect(await memory.getById(id)).toHaveProperty('embeddingPieces');
    await persistence.update({ id, embedding: vectorOf('an own one') });
    expect(await memory.getById(id)).not.toHaveProperty('embeddingPieces');
  });

  test.each([
    [
      'OpenRouter',
      400,
      {
        error: {
          message: 'Provider returned error',
          metadata: { raw: '{"error":{"message":"maximum context length is 8192 tokens"}}' },
        },
      },
    ],
    [
      'vLLM',
      400,
      { object: 'error', message: "This model's maximum context length is 512 tokens", code: 400 },
    ],
    ['TEI', 413, { message: 'Input validation error: `inputs` must have less than 512 tokens. Given: 1024' }],
    ['Ollama', 400, { error: { message: 'the input length exceeds the context length' } }],
    [
      'llama.cpp',
      500,
      {
        error: {
          code: 500,
          message: 'input (900 tokens) is too large to process. increase the physical batch size',
        },
      },
    ],
    ['Voyage', 400, { detail: 'The max allowed tokens per submitted batch is 120000.' }],
    ['Cohere', 400, { message: 'too many tokens: total number of tokens cannot exceed 512' }],
    ['a proxy', 413, 'Request Entity Too Large'],
  ])('is recognized by the words of %s', async (vendor, status, body) => {
    provider.limit = { bytes: BYTES, status, body };
    const layer = layerOf();
    const content = longText(`The words of ${vendor}.`);
    const { id, embeddingPieces } = await layer.memory.store({ userId: 'voc', content });
    expect(embeddingPieces).toMatchObject({ bytes: Buffer.byteLength(content) });
    expect(await owed(id)).toEqual([]);
  });

  test('costs the others of its batch nothing', async () => {
    const entries = Array.from({ length: 12 }, (_, n) => ({
      userId: 'cid',
      content: n % 5 === 2 ? longText(`Topic number ${n}.`) : `note about topic${n}`,
    }));
    const { stored, failed } = await memory.storeMany(entries);
    expect(failed).toEqual([]);
    expect(stored.map(({ embeddingPieces }) => embeddingPieces !== undefined)).toEqual(
      entries.map(({ content }) => content.length > BYTES),
    );
    for (const { id, content } of stored) {
      expect(await owed(id)).toEqual([]);
      if (content.length > BYTES) continue;
      expect(cosine(await embeddingOf(id), vectorOf(content))).toBeCloseTo(1, 4);
    }
  });

  test('is found by the question of one part among others as long', async () => {
    const topics = [
      'Zeppelins need helium and hangars',
      'Herons fish at dawn in reeds',
      'Granite splits along seams',
    ];
    const { stored } = await memory.storeMany(
      topics.map((topic) => ({ userId: 'dan', content: longText(`${topic}. ${topic}. ${topic}.`, 2000) })),
    );
    for (const [place, topic] of topics.entries()) {
      for (const mode of ['vector', 'hybrid', 'text']) {
        const [best] = await memory.retrieve('dan', topic, { mode, limit: 1 });
        expect(best.id, `${mode}: ${topic}`).toBe(stored[place].id);
      }
    }
  });

  test('as a question is no failure', async () => {
    const { id } = await memory.store({ userId: 'eve', content: 'Granite splits along seams' });
    await memory.store({ userId: 'eve', content: 'Herons fish at dawn' });
    const question = longText('How does granite split along seams?');
    for (const mode of ['vector', 'hybrid', 'text']) {
      const found = await memory.retrieve('eve', question, { mode });
      expect(
        found.map((item) => item.id),
        mode,
      ).toContain(id);
    }
    expect((await memory.getHealth()).reasons.map(({ code }) => code)).not.toContain('EMBEDDING_FAILED');
  });

  test('that was owed is paid in pieces', async () => {
    const contents = [longText('Owed and long.'), 'owed and short'];
    const entries = contents.map((content) => ({ userId: 'fay', content, defer: true }));
    const { stored } = await memory.storeMany(entries);
    expect(stored[0]).not.toHaveProperty('embeddingPieces');
    expect(await sync.drain()).toMatchObject({ embedded: 2, refused: 0, dead: 0 });
    expect(await memory.getById(stored[0].id)).toMatchObject({
      embeddingPieces: { bytes: Buffer.byteLength(contents[0]) },
    });
    expect(await memory.getById(stored[1].id)).not.toHaveProperty('embeddingPieces');
  });
});

describe('a provider that takes no text of that kind', () => {
  test('leaves an entry that says exactly that, and embeds the others', async () => {
    provider.limit = { bytes: 40 };
    const { memory, sync } = layerOf('bag-of-words', { persistence: { retryAttempts: 1 } });
    const long = await memory.store({ userId: 'gil', content: longText('Nothing fits.') });
    expect(long).not.toHaveProperty('embeddingPieces');
    const short = await memory.store({ userId: 'gil', content: 'fits' }, { defer: true });
    expect(await sync.drain()).toMatchObject({ embedded: 1, refused: 1, dead: 1 });
    const { items } = await sync.getQueue({ target: 'embedding' });
    const lastError = expect.stringMatching(
      /^EMBEDDING_FAILED: embedding failed: the text is longer than the model takes, even in pieces of \d+ bytes/,
    );
    expect(items).toMatchObject([{ memoryId: long.id, state: 'dead', lastError }]);
    expect(await owed(short.id)).toEqual([]);
    const error = await rejection(memory.retrieve('gil', longText('Why?'), { mode: 'vector' }));
    expect(error).toMatchObject({ reason: 'EMBEDDING_FAILED', details: { tooLong: true, retryable: false } });
    await memory.deleteAll('gil', { hard: true });
  });
});

describe('reembed', () => {
  const next = useDatabase();

  test('of long texts tells the pieces of the new model only once it is the current one', async () => {
    const embedder = (model) => ({
      provider: 'openai',
      baseUrl: provider.baseUrl,
      apiKey: 'sk-test',
      model,
      dimensions: 64,
    });
    const former = next.layer({ extractor: 'none', embedder: embedder('former') });
    const content = longText('Zeppelins need helium.');
    const { id, embeddingPieces } = await former.memory.store({ userId: 'ada', content });
    await former.memory.store({ userId: 'ada', content: 'short' });
    await former.close();
    provider.limit = { bytes: 2 * BYTES };
    const latter = next.layer({ extractor: 'none', embedder: embedder('latter') });
    expect(await latter.memory.getById(id)).toMatchObject({ embeddingPieces });
    expect(await latter.sync.reembed()).toMatchObject({ model: 'latter', embedded: 2, failed: 0 });
    const { embeddingPieces: now } = await latter.memory.getById(id);
    expect(now.bytes).toBe(Buffer.byteLength(content));
    expect(now.count).toBeLessThan(embeddingPieces.count);
    const [best] = await latter.memory.retrieve('ada', 'Zeppelins need helium.', { mode: 'vector' });
    expect(best.id).toBe(id);
  });
});
