// Retrieval: modes, thresholds, filters, exactness.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { seeded, tableEmbedder, useDatabase } from './support.mjs';

const CONVERSATION = randomUUID();

/** Content, its vector and options. Against the query's vector (1, 0, 0) the cosines are 1, 0.6, 0 and -1. */
const MEMORIES = [
  ['budget for the harbour bridge', [1, 0, 0], { importance: 10, conversationId: CONVERSATION }],
  ['dinner with friends', [0.6, 0.8, 0], { importance: 5, conversationId: 'conv-456' }],
  ['bridge club on Tuesday', [0, 1, 0], { importance: 1, conversationId: 'conv-456' }],
  ['nothing in common', [-1, 0, 0], { importance: 2 }],
];
const [BUDGET, DINNER, CLUB, NOTHING] = MEMORIES.map(([content]) => content);
const QUERY = 'the bridge';
const EMBEDDER = tableEmbedder({
  ...Object.fromEntries(MEMORIES.map(([content, vector]) => [content, vector])),
  [QUERY]: [1, 0, 0],
  'zzz unknown word': [0, 0, 1],
});

describe('retrieve', () => {
  const database = useDatabase();
  let memory;

  beforeAll(async () => {
    ({ memory } = database.layer({ embedder: EMBEDDER, extractor: 'none' }));
    for (const [content, , options] of MEMORIES) await memory.store({ userId: 'ada', content }, options);
    const deleted = await memory.store(
      { userId: 'ada', content: `${BUDGET}` },
      { idempotencyKey: 'deleted' },
    );
    await memory.delete(deleted.id);
  });

  const find = (options, query = QUERY) => memory.retrieve('ada', query, options);
  const contents = async (options, query) => (await find(options, query)).map(({ content }) => content);

  describe('mode vector', () => {
    test('finds all, by cosine', async () => {
      const found = await find({ mode: 'vector' });
      expect(found.map(({ content }) => content)).toEqual([BUDGET, DINNER, CLUB, NOTHING]);
      for (const [index, cosine] of [1, 0.6, 0, -1].entries()) {
        expect(found[index].similarity).toBeCloseTo(cosine, 6);
        expect(found[index].score).toBe(found[index].similarity);
        expect(found[index].metadata.similarity).toBe(found[index].similarity);
      }
    });

    test.each([
      [-1, 4],
      [0, 3],
      [0.5, 2],
      [0.99, 1],
    ])('cuts strictly at threshold %f', async (threshold, count) => {
      expect(await contents({ mode: 'vector', threshold })).toEqual(
        [BUDGET, DINNER, CLUB, NOTHING].slice(0, count),
      );
    });

    test('cuts before it limits', async () => {
      expect(await contents({ mode: 'vector', threshold: -1, limit: 2 })).toEqual([BUDGET, DINNER]);
    });

    test('needs no word in common', async () => {
      expect(await contents({ mode: 'vector' }, 'zzz unknown word')).toHaveLength(4);
    });
  });

  describe('mode text', () => {
    test('finds by words, in any order, without a similarity', async () => {
      const found = await find({ mode: 'text' });
      expect(found.map(({ content }) => content).sort()).toEqual([CLUB, BUDGET].sort());
      for (const item of found) {
        expect(item).not.toHaveProperty('similarity');
        expect(item.metadata).not.toHaveProperty('similarity');
        expect(item.score).toBeGreaterThan(0);
      }
    });

    test('knows forms of words', async () => {
      expect(await contents({ mode: 'text' }, 'bridges')).toHaveLength(2);
    });

    test('finds nothing by words that are not there', async () => {
      expect(await find({ mode: 'text' }, 'zzz unknown word')).toEqual([]);
      expect(await find({ mode: 'text' }, 'the')).toEqual([]);
    });

    test("takes the query as words, not as an expression of Postgres'", async () => {
      for (const query of ["bridge' | !!", 'bridge & (', '\\bridge:*', `"bridge" <-> '''`]) {
        expect(await contents({ mode: 'text' }, query)).toHaveLength(2);
      }
    });
  });

  describe('mode hybrid', () => {
    test('is the default and finds by both', async () => {
      const found = await find();
      expect(found[0].content).toBe(BUDGET);
      expect(found.map(({ content }) => content)).toEqual(await contents({ mode: 'hybrid' }));
      expect(found).toHaveLength(4);
      const scores = found.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
    });

    test('a threshold limits the vector side only', async () => {
      expect((await contents({ threshold: 0.5 })).sort()).toEqual([BUDGET, CLUB, DINNER].sort());
    });

    test('a similarity stands only where one was computed', async () => {
      const found = await find({ threshold: 0.5 });
      const club = found.find(({ content }) => content === CLUB);
      expect(club).not.toHaveProperty('similarity');
      expect(found.find(({ content }) => content === DINNER).similarity).toBeCloseTo(0.6, 6);
    });
  });

  describe.each(['hybrid', 'vector', 'text'])('in mode %s', (mode) => {
    test('limit limits', async () => {
      const [best] = await contents({ mode });
      expect(await contents({ mode, limit: 1 })).toEqual([best]);
    });

    test('minImportance', async () => {
      const all = await contents({ mode });
      expect(await contents({ mode, minImportance: 1 })).toEqual(all);
      expect(await contents({ mode, minImportance: 2 })).toEqual(all.filter((content) => content !== CLUB));
      expect(await contents({ mode, minImportance: 10 })).toEqual([BUDGET]);
    });

    test('conversationId, a UUID or any text', async () => {
      expect(await contents({ mode, conversationId: CONVERSATION })).toEqual([BUDGET]);
      const found = await find({ mode, conversationId: 'conv-456' });
      expect(found.map(({ content }) => content)).toContain(CLUB);
      for (const item of found) expect(item.conversationId).toBe('conv-456');
      expect(await contents({ mode, conversationId: 'conv-4' })).toEqual([]);
      expect(await contents({ mode, conversationId: randomUUID() })).toEqual([]);
    });

    test('undefined options are options not given', async () => {
      const undefineds = { limit: undefined, threshold: undefined, minImportance: undefined, mode };
      expect(await contents({ ...undefineds, conversationId: undefined, signal: undefined })).toEqual(
        await contents({ mode }),
      );
    });

    test('another user finds nothing', async () => {
      expect(await memory.retrieve('grace', QUERY, { mode })).toEqual([]);
    });
  });

  test('minImportance 0 filters nothing', async () => {
    expect(await contents({ minImportance: 0 })).toHaveLength(4);
  });

  test('ten results are the default', async () => {
    const words = Array.from({ length: 12 }, (_, index) => `tulip number ${index}`);
    await Promise.all(
      words.map((content, index) =>
        memory.store({ userId: 'flora', content }, { embedding: [1, index / 10, 0] }),
      ),
    );
    expect(await memory.retrieve('flora', 'tulip', { mode: 'text' })).toHaveLength(10);
    expect(await memory.retrieve('flora', 'tulip', { mode: 'text', limit: 1000 })).toHaveLength(12);
  });
});

describe('cosine search', () => {
  const database = useDatabase();
  const DIMENSIONS = 24;
  const COUNT = 300;
  const random = seeded(42);
  const vector = () => Float32Array.from({ length: DIMENSIONS }, () => random() * 2 - 1);
  const stored = Array.from({ length: COUNT }, (_, index) => ({
    content: `number ${index}`,
    vector: vector(),
  }));
  const queries = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`query ${index}`, vector()]));
  let memory;

  beforeAll(async () => {
    const embedder = tableEmbedder(queries, { dimensions: DIMENSIONS });
    ({ memory } = database.layer({ embedder, extractor: 'none' }));
    await Promise.all(
      stored.map(({ content, vector: embedding }) => memory.store({ userId: 'ada', content }, { embedding })),
    );
  });

  test.each(Object.keys(queries))('is exact: %s', async (query) => {
    const expected = stored
      .map((item) => ({ content: item.content, cosine: cosine(item.vector, queries[query]) }))
      .sort((a, b) => b.cosine - a.cosine);
    const found = await memory.retrieve('ada', query, { mode: 'vector', limit: COUNT });
    expect(found.map(({ content }) => content)).toEqual(expected.map(({ content }) => content));
    for (const [index, { similarity }] of found.entries()) {
      expect(similarity).toBeCloseTo(expected[index].cosine, 5);
    }
    const threshold = expected[40].cosine - 1e-6;
    expect(await memory.retrieve('ada', query, { mode: 'vector', limit: COUNT, threshold })).toHaveLength(41);
  });
});

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, index) => sum + value * y[index], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
