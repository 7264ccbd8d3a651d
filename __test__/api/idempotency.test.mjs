// Storing the same thing again: by id, by key, by somebody else, after a deletion.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { rejection, useDatabase } from './support.mjs';

const CONTENT = 'Lunch with Grace Hopper';

/** Both ways to name a memory. */
const NAMES = [
  ['id', () => ({ id: randomUUID() })],
  ['idempotencyKey', () => ({ idempotencyKey: `mail <${randomUUID()}@example.org> "quoted" \u{1f600}` })],
];

describe('storing again', () => {
  const database = useDatabase();
  let memory;
  let persistence;
  let graph;
  let sync;

  beforeAll(() => {
    ({ memory, persistence, graph, sync } = database.layer());
  });

  const rows = async (id) =>
    database.query('select user_id, content, is_deleted from memory_entries where id = $1', [id]);

  describe.each(NAMES)('under the same %s', (_kind, name) => {
    test('returns what is there, as it is', async () => {
      const options = name();
      const first = await memory.store(
        { userId: 'ada', content: CONTENT, metadata: { n: 1 } },
        { ...options, importance: 8 },
      );
      expect(first.metadata).toMatchObject({
        created: true,
        vectorWriteSuccess: true,
        graphWriteSuccess: true,
      });
      const again = await memory.store(
        { userId: 'ada', content: CONTENT, metadata: { n: 2 } },
        { ...options, importance: 2 },
      );
      expect(again).toMatchObject({
        id: first.id,
        importance: 8,
        revision: first.revision,
        metadata: { n: 1, created: false },
      });
      expect(await rows(first.id)).toHaveLength(1);
      const { data } = await persistence.store({ userId: 'ada', content: CONTENT, ...options });
      expect(data).toMatchObject({ id: first.id, metadata: { n: 1 }, revision: first.revision });
    });

    test('with other content is a conflict', async () => {
      const options = name();
      const { id } = await memory.store({ userId: 'ada', content: CONTENT }, options);
      const error = await rejection(memory.store({ userId: 'ada', content: 'Dinner' }, options));
      expect(error).toMatchObject({
        name: 'PersistenceError',
        code: 'ID_CONFLICT',
        reason: 'ID_CONFLICT',
        retryable: false,
      });
      expect(await rows(id)).toEqual([{ user_id: 'ada', content: CONTENT, is_deleted: false }]);
      const told = await rejection(persistence.store({ userId: 'ada', content: 'Dinner', ...options }));
      expect(told).toMatchObject({ name: 'PersistenceError', reason: 'ID_CONFLICT' });
    });

    test('leaves a soft-deleted memory deleted', async () => {
      const options = name();
      const { id } = await memory.store({ userId: 'ada', content: CONTENT }, options);
      await memory.delete(id);
      const again = await memory.store({ userId: 'ada', content: CONTENT }, options);
      expect(again).toMatchObject({ id, metadata: { created: false, deleted: true } });
      expect(await rows(id)).toEqual([{ user_id: 'ada', content: CONTENT, is_deleted: true }]);
      expect(await memory.getById(id)).toBeNull();
      const told = await persistence.store({ userId: 'ada', content: CONTENT, ...options });
      expect(told).toMatchObject({ success: true, data: { isDeleted: true }, metadata: { deleted: true } });
      const { stored } = await memory.storeMany([{ userId: 'ada', content: CONTENT, ...options }]);
      expect(stored).toMatchObject([{ id, metadata: { created: false, deleted: true } }]);
    });

    test('brings a soft-deleted memory back where that is asked for', async () => {
      const options = name();
      const entities = [{ type: 'person', value: 'Grace Hopper' }];
      const entry = { userId: 'ada', content: CONTENT };
      const restore = { ...options, restore: true };
      const ways = [
        (changes) => memory.store({ ...entry, ...changes }, restore),
        async (changes) => {
          const { stored, failed } = await memory.storeMany([{ ...entry, ...restore, ...changes }]);
          if (failed.length > 0) throw failed[0].error;
          return stored[0];
        },
        async (changes) => {
          const { data, error, metadata } = await persistence.store({ ...entry, ...restore, ...changes });
          if (!data) throw error;
          expect(metadata).not.toHaveProperty('deleted');
          return memory.getById(data.id);
        },
      ];
      const { id } = await memory.store(entry, { ...options, entities, importance: 8 });
      for (const way of ways) {
        const { revision } = await memory.getById(id);
        await memory.delete(id);
        expect(await rejection(way({ content: 'Dinner' }))).toMatchObject({ reason: 'ID_CONFLICT' });
        expect(await memory.getById(id)).toBeNull();
        const back = await way({});
        expect(back).toMatchObject({ id, importance: 8, entities });
        expect(back.metadata.deleted).toBeUndefined();
        expect(back.revision).toBeGreaterThan(revision);
        expect(await memory.getById(id)).toMatchObject({ id, entities });
        expect(await graph.getEntity('ada', entities[0])).toMatchObject({ name: 'Grace Hopper' });
      }
      // One that lives is what is there, and a new one is new.
      const { revision, metadata } = await memory.store(entry, restore);
      expect({ revision, created: metadata.created }).toEqual({
        revision: (await memory.getById(id)).revision,
        created: false,
      });
      expect(await memory.store(entry, { ...name(), restore: true })).toMatchObject({
        metadata: { created: true },
      });
      expect(await rows(id)).toHaveLength(1);
      await memory.delete(id);
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
    });

    test('after a hard deletion stores it anew, above its tombstone', async () => {
      const options = name();
      const first = await memory.store({ userId: 'ada', content: CONTENT }, options);
      await memory.delete(first.id, { hard: true });
      const again = await memory.store({ userId: 'ada', content: CONTENT }, options);
      expect(again).toMatchObject({ id: first.id, metadata: { created: true, graphWriteSuccess: true } });
      expect(again.revision).toBeGreaterThan(first.revision);
    });

    test('at the same time stores one', async () => {
      const options = name();
      const stores = Array.from({ length: 8 }, () =>
        memory.store({ userId: 'ada', content: CONTENT }, options),
      );
      const stored = await Promise.all(stores);
      expect(new Set(stored.map(({ id }) => id)).size).toBe(1);
      expect(stored.filter(({ metadata }) => metadata.created)).toHaveLength(1);
      expect(await rows(stored[0].id)).toHaveLength(1);
    });
  });

  test("a deleted memory of another user's is not brought back", async () => {
    const { id } = await memory.store({ userId: 'grace', content: CONTENT });
    await memory.delete(id);
    const error = await rejection(memory.store({ userId: 'ada', content: CONTENT }, { id, restore: true }));
    expect(error).toMatchObject({ code: 'ID_CONFLICT' });
    expect(await rows(id)).toEqual([{ user_id: 'grace', content: CONTENT, is_deleted: true }]);
  });

  test("another user's id is a conflict that tells nothing of theirs", async () => {
    const id = randomUUID();
    const secret = 'canary-content canary-summary';
    await memory.store(
      { userId: 'canary-user', content: secret, metadata: { secret } },
      { id, summary: secret },
    );
    for (const content of [secret, 'mine']) {
      const error = await rejection(memory.store({ userId: 'ada', content }, { id }));
      expect(error).toMatchObject({ code: 'ID_CONFLICT' });
      expect(`${JSON.stringify(error)}${error.stack}`).not.toContain('canary');
    }
    expect(await rows(id)).toEqual([{ user_id: 'canary-user', content: secret, is_deleted: false }]);
    const told = await rejection(persistence.store({ userId: 'ada', content: 'mine', id }));
    expect(told.reason).toBe('ID_CONFLICT');
  });

  test('a key is unique per user only', async () => {
    const options = { idempotencyKey: 'message-1' };
    const [a, b] = await Promise.all(
      ['ada', 'grace'].map((userId) => memory.store({ userId, content: `of ${userId}` }, options)),
    );
    expect(a.id).not.toBe(b.id);
    expect([a.content, b.content]).toEqual(['of ada', 'of grace']);
  });

  test('keys of users whose names run together are different ones', async () => {
    const a = await memory.store({ userId: 'ab', content: 'x' }, { idempotencyKey: 'c' });
    const b = await memory.store({ userId: 'a', content: 'x' }, { idempotencyKey: 'bc' });
    expect(b).toMatchObject({ userId: 'a', metadata: { created: true } });
    expect(b.id).not.toBe(a.id);
  });
});
