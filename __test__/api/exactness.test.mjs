// Vector search finds what a brute-force scan finds, for users of any size beside one another.
import { beforeAll, describe, expect, test } from 'vitest';
import { seeded, tableEmbedder, useDatabase } from './support.mjs';

const DIMENSIONS = 16;
const SIZES = [10, 1000, 50_000];
const LIMIT = 10;

/** Rows of other code need no trigger here: only what search reads is written, in one statement each. */
const INSERT = `
  with given as (
    select gen_random_uuid() as id, number, v.embedding::vector as embedding
    from unnest($2::text[]) with ordinality as v (embedding, number)
  ), row as (
    insert into public.memory_entries (id, user_id, content, importance)
    select id, $1, 'number ' || number, 1 + number % 10 from given
  ), state as (
    insert into izzie_memory.memory_state (memory_id, user_id, epoch, revision, deleted, h1, h2, bucket)
    select id, $1, 1, nextval('izzie_memory.revision_seq'), false, 0, 0, 0 from given
  )
  insert into izzie_memory.memory_vectors (memory_id, space_id, user_id, embedding)
  select id, (select space_id from izzie_memory.embedding_spaces where current), $1, embedding from given`;

describe('vector search', () => {
  const database = useDatabase();
  const random = seeded(7);
  const vector = () => Array.from({ length: DIMENSIONS }, () => random() * 2 - 1);
  const vectors = new Map(SIZES.map((size) => [size, Array.from({ length: size }, vector)]));
  const queries = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`query ${index}`, vector()]));
  let memory;

  beforeAll(async () => {
    const embedder = tableEmbedder(queries, { dimensions: DIMENSIONS });
    ({ memory } = database.layer({ embedder, extractor: 'none', graphStore: 'none' }));
    await memory.retrieve('nobody', 'query 0', { mode: 'vector' }); // makes the embedder's space the current one
    await database.query('alter table public.memory_entries disable trigger user');
    for (const [size, given] of vectors)
      await database.query(INSERT, [`user of ${size}`, given.map((values) => `[${values.join()}]`)]);
    await database.query('alter table public.memory_entries enable trigger user');
  }, 480_000);

  const nearest = (size, query, wanted = () => true) =>
    vectors
      .get(size)
      .map((values, index) => ({ number: index + 1, cosine: cosine(values, queries[query]) }))
      .filter(({ number }) => wanted(number))
      .sort((a, b) => b.cosine - a.cosine)
      .slice(0, LIMIT)
      .map(({ number }) => `number ${number}`);

  describe.each(SIZES)('of %d memories', (size) => {
    test.each(Object.keys(queries))('is exact: %s', async (query) => {
      const found = await memory.retrieve(`user of ${size}`, query, { mode: 'vector' });
      const expected = nearest(size, query);
      const common = found.filter(({ content }) => expected.includes(content)).length;
      expect(found).toHaveLength(Math.min(LIMIT, size));
      expect(common / expected.length).toBeGreaterThanOrEqual(0.99);
    });

    test('gives as many as the limit while that many pass the filters', async () => {
      const options = { mode: 'vector', minImportance: 10 };
      const found = await memory.retrieve(`user of ${size}`, 'query 0', options);
      const expected = nearest(size, 'query 0', (number) => number % 10 === 9);
      expect(found.map(({ content }) => content)).toEqual(expected);
      expect(found).toHaveLength(Math.min(LIMIT, size / 10));
    });
  });
});

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, index) => sum + value * y[index], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
