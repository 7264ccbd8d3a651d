// Debts to the models: paid by drain and auto-sync, by backfill alone where they cost and nobody asked.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { gate, rejection, useDatabase } from './support.mjs';

const AWAY = Object.assign(new Error('away'), { name: 'Away' });
const vectorOf = (text) => [text.length, text.charCodeAt(0) || 1, 1];

/** An embedder whose calls are counted and whose answers a test may replace. */
function embedder({ model = 'good', dimensions = 3, answer = (texts) => texts.map(vectorOf) } = {}) {
  const calls = [];
  const made = {
    calls,
    answer,
    config: {
      model,
      dimensions,
      embed: async (texts) => {
        calls.push(texts);
        return made.answer(texts);
      },
    },
  };
  return made;
}

const owes = async (database, target) =>
  (await database.debts()).filter((debt) => debt.target === target).map((debt) => debt.memory_id);

const foreign = (database, userId, content) =>
  database
    .query('insert into memory_entries (user_id, content) values ($1, $2) returning id', [userId, content])
    .then(([{ id }]) => id);

describe('an embedder that was away', () => {
  const database = useDatabase();

  test('drain fills what 100 stores left, and search finds them', async () => {
    const model = embedder();
    model.answer = () => Promise.reject(AWAY);
    const { memory, sync } = database.layer({ embedder: model.config });
    const stored = [];
    for (let n = 0; n < 100; n += 1)
      stored.push(await memory.store({ userId: 'ada', content: `note ${'x'.repeat(n)}` }));
    expect(await owes(database, 'embedding')).toHaveLength(100);
    const calls = model.calls.length;
    expect(await sync.drain()).toMatchObject({ embedded: 0, refused: 0, pending: 100, dead: 0 });
    expect(model.calls.length - calls).toBeLessThanOrEqual(3);
    expect(await database.query('select distinct attempts, state from izzie_memory.memory_sync')).toEqual([
      { attempts: 0, state: 'pending' },
    ]);
    model.answer = (texts) => texts.map(vectorOf);
    expect(await sync.drain()).toMatchObject({ embedded: 100, pending: 0 });
    expect(await owes(database, 'embedding')).toEqual([]);
    const found = await memory.retrieve('ada', `note ${'x'.repeat(7)}`, { mode: 'vector', limit: 1 });
    expect(found).toMatchObject([{ id: stored[7].id, similarity: expect.closeTo(1) }]);
  });

  test('a text that it refuses is charged alone, and is dead after three attempts', async () => {
    const model = embedder();
    const { memory, sync } = database.layer({ embedder: model.config });
    const kept = await memory.storeMany(
      Array.from({ length: 9 }, (_, n) => ({ userId: 'bob', content: `text ${n}`, defer: true })),
    );
    expect(kept.failed).toEqual([]);
    const poison = kept.stored[4].id;
    model.answer = (texts) => {
      if (texts.includes('text 4')) throw new Error('no');
      return texts.map(vectorOf);
    };
    expect(await sync.drain()).toMatchObject({ embedded: 8, refused: 1, pending: 1, dead: 0 });
    expect(await owes(database, 'embedding')).toEqual([poison]);
    const [{ attempts, lastError }] = (await sync.getQueue({ target: 'embedding' })).items;
    expect(attempts).toBe(1);
    expect(lastError).toMatch(/^EMBEDDING_FAILED/);
  });
});
