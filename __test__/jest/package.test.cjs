'use strict';

// Under jest the package runs in a realm of its own: its Date, Error and AbortSignal are not Node's.
const { randomUUID } = require('node:crypto');
const pg = require('pg');
const api = require('izzie-memory');
const { CASES, checkErrorCase } = require('../support/error-cases.cjs');

const { url, create, drop } = database();

beforeAll(async () => {
  await create();
  const layer = api.createMemoryLayer({ databaseUrl: url });
  await layer.migrate();
  await layer.close();
});

afterAll(drop);

describe('errors under jest', () => {
  test.each(CASES)('$name', (errorCase) => checkErrorCase(api, errorCase, url));
});

describe('a memory under jest', () => {
  const embed = jest.fn(async (texts) => texts.map(() => [0.6, 0.8]));
  let layer;

  beforeAll(() => {
    const embedder = { model: 'jest', dimensions: 2, embed };
    layer = api.createMemoryLayer({ databaseUrl: url, graphStore: 'postgres', embedder });
  });

  afterAll(() => layer.close());

  test('is stored with a Date in its metadata and comes back with Dates', async () => {
    const createdAt = new Date('2026-01-02T03:04:05.678Z');
    const entry = { userId: 'jest', content: 'Lunch with Grace', metadata: { at: createdAt } };
    const stored = await layer.memory.store(entry, { createdAt });
    expect(stored.createdAt).toBeInstanceOf(Date);
    expect(stored.createdAt).toEqual(createdAt);
    expect(stored.metadata.at).toBe(createdAt.toISOString());
    expect(embed).toHaveBeenCalledWith(['Lunch with Grace'], { signal: expect.anything() });
    const [found] = await layer.memory.retrieve('jest', 'lunch', { mode: 'vector' });
    expect(found).toMatchObject({ id: stored.id, similarity: expect.closeTo(1) });
  });

  test('is not stored when the signal is aborted', async () => {
    const reason = new Error('changed my mind');
    const signal = AbortSignal.abort(reason);
    await expect(layer.memory.store({ userId: 'jest-aborted', content: 'c' }, { signal })).rejects.toBe(
      reason,
    );
    expect(await layer.memory.getAll('jest-aborted')).toEqual([]);
  });
});

function database() {
  const server = process.env.TEST_DATABASE_URL;
  const name = `jest_${randomUUID().replaceAll('-', '')}`;
  const own = new URL(server);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    create: () => query(server, `create database ${name} template template0`),
    // Without force: a connection that is still open is a leak, and Postgres then refuses.
    drop: () => query(server, `drop database ${name}`),
  };
}

async function query(connectionString, sql) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
