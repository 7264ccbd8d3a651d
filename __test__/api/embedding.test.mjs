// A caller's own embedding: where it goes, and what it must look like.
import { beforeAll, describe, expect, test } from 'vitest';
import { rejection, tableEmbedder, useDatabase } from './support.mjs';

const QUERY = tableEmbedder({ q: [1, 0, 0] });
const entry = (content) => ({ userId: 'ada', content });

/** A unit vector of the application's space. */
function appVector(axis) {
  const vector = new Float32Array(1536);
  vector[axis] = 1;
  return vector;
}

describe('an own embedding', () => {
  const database = useDatabase();
  let memory;
  let persistence;

  beforeAll(() => {
    ({ memory, persistence } = database.layer({ embedder: QUERY }));
  });

  const vectors = (id) =>
    database.query(
      `select s.dimensions, v.embedding::text from izzie_memory.memory_vectors v
       join izzie_memory.embedding_spaces s using (space_id) where memory_id = $1`,
      [id],
    );
  const appColumn = async (id) =>
    (await database.query('select embedding::text as text from memory_entries where id = $1', [id]))[0].text;
  const owed = async (id) =>
    (await database.debts()).filter((debt) => debt.memory_id === id).map(({ target }) => target);
  const best = async (query = 'q') => (await memory.retrieve('ada', query, { mode: 'vector', limit: 1 }))[0];

  test.each([
    ['an array', [0.6, 0.8, 0]],
    ['a Float32Array', new Float32Array([0.6, 0.8, 0])],
  ])('of the current space is taken: %s', async (kind, embedding) => {
    const { id } = await memory.store(entry(kind), { embedding });
    expect(await vectors(id)).toEqual([{ dimensions: 3, embedding: '[0.6,0.8,0]' }]);
    expect(await appColumn(id)).toBeNull();
    expect(await owed(id)).toEqual([]);
    const found = await memory.retrieve('ada', 'q', { mode: 'vector' });
    expect(found.find((item) => item.id === id).similarity).toBeCloseTo(0.6, 6);
  });

  test('of 1536 dimensions goes to the application, and the current space is owed one', async () => {
    const { id } = await memory.store(entry('for the app'), { embedding: appVector(7) });
    expect(await vectors(id)).toEqual([]);
    expect(await appColumn(id)).toMatch(/^\[0(,0){6},1(,0)+\]$/);
    expect(await owed(id)).toEqual(['embedding']);
    const found = await memory.retrieve('ada', 'q', { mode: 'vector', limit: 100 });
    expect(found.map((item) => item.id)).not.toContain(id);
    expect((await memory.retrieve('ada', 'app', { mode: 'text' }))[0].id).toBe(id);
  });

  test.each([2, 4, 1535, 1537])('of %i dimensions is refused with both numbers', async (length) => {
    const before = await database.query('select count(*) from memory_entries');
    const error = await rejection(memory.store(entry('no'), { embedding: Array(length).fill(0.5) }));
    expect(error).toMatchObject({
      name: 'PersistenceError',
      code: 'DIMENSION_MISMATCH',
      reason: 'DIMENSION_MISMATCH',
      retryable: false,
      details: { field: 'embedding', actual: length, expected: 3 },
    });
    expect(await database.query('select count(*) from memory_entries')).toEqual(before);
  });

  test('comes with new content in an update', async () => {
    const { id } = await memory.store(entry('before'), { embedding: [0, 0, 1] });
    const embedding = [1, 0, 0];
    const { success, data } = await persistence.update({ id, content: 'after', embedding });
    expect({ success, content: data.content }).toEqual({ success: true, content: 'after' });
    expect(await vectors(id)).toEqual([{ dimensions: 3, embedding: '[1,0,0]' }]);
    expect(await best()).toMatchObject({ id, similarity: 1 });
    const refused = await rejection(persistence.update({ id, content: 'again', embedding: [1, 0] }));
    expect(refused.reason).toBe('DIMENSION_MISMATCH');
    expect(await memory.getById(id)).toMatchObject({ content: 'after' });
  });

  test('is not returned', async () => {
    const { id } = await memory.store(entry('silent'), { embedding: [0, 1, 0] });
    expect(await memory.getById(id)).not.toHaveProperty('embedding');
    expect(await best()).not.toHaveProperty('embedding');
  });
});

describe('without an embedder the current space is the application’s', () => {
  const database = useDatabase();

  test('1536 dimensions are taken, others are refused', async () => {
    const { memory } = database.layer();
    const { id } = await memory.store(entry('plain'), { embedding: appVector(0) });
    expect(await database.debts()).toEqual([]);
    const [{ dimensions }] = await database.query(
      'select vector_dims(embedding) as dimensions from memory_entries where id = $1',
      [id],
    );
    expect(dimensions).toBe(1536);
    const error = await rejection(memory.store(entry('no'), { embedding: [1, 2, 3] }));
    expect(error).toMatchObject({ code: 'DIMENSION_MISMATCH', details: { actual: 3, expected: 1536 } });
  });
});
