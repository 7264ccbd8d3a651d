// Two users share nothing, in either store, by any method.
import { beforeAll, describe, expect, test } from 'vitest';
import { onBothGraphs, tableEmbedder, useGraph } from '../support.mjs';

const HOPPER = [{ type: 'person', value: 'Grace Hopper' }];
const CONTENT = 'Lunch with Grace Hopper';

onBothGraphs('two users of the %s graph', (kind) => {
  const database = useGraph(kind);
  let layer;
  let memory;
  let persistence;
  let own;
  let other;

  beforeAll(async () => {
    layer = database.layer({
      embedder: tableEmbedder({ [CONTENT]: [1, 0, 0], lunch: [1, 0, 0], stolen: [0, 1, 0] }),
    });
    ({ memory, persistence } = layer);
    const store = (userId) =>
      memory.store({ userId, content: CONTENT }, { entities: HOPPER, conversationId: 'conv-1' });
    own = await store('ada');
    other = await store('alan');
  });

  const unharmed = async () => {
    const [row] = await memory.getMany([other.id]);
    expect(row).toMatchObject({ userId: 'alan', content: CONTENT, revision: other.revision });
    expect(await database.graph.memories()).toContain(other.id);
  };

  describe("with another user's id", () => {
    const ada = { userId: 'ada' };

    test('getById finds nothing and counts no access', async () => {
      expect(await memory.getById(other.id, ada)).toBeNull();
      expect(await memory.getById(other.id, { userId: 'alan' })).toMatchObject({ accessCount: 1 });
    });

    test('getMany finds only the own ones', async () => {
      const found = await memory.getMany([other.id, own.id], ada);
      expect(found.map(({ id }) => id)).toEqual([own.id]);
    });

    test('update changes nothing', async () => {
      expect(await memory.update(other.id, { content: 'stolen' }, ada)).toBeNull();
      const result = await persistence.update({ id: other.id, content: 'stolen', ...ada });
      expect(result).toMatchObject({ success: false, error: { reason: 'NOT_FOUND' } });
      expect(result.data).toBeUndefined();
      const relationships = [
        { fromType: 'person', fromValue: 'A', toType: 'person', toValue: 'B', relationshipType: 'FRIEND_OF' },
      ];
      expect(await memory.update(other.id, { relationships }, ada)).toBeNull();
      await unharmed();
    });

    test.each([true, false])('delete with hard: %s deletes nothing', async (hard) => {
      expect(await memory.delete(other.id, { ...ada, hard })).toBeUndefined();
      expect(await persistence.delete({ id: other.id, ...ada, hard })).toMatchObject({ success: true });
      await unharmed();
    });

    test('what is missing and what is somebody else’s look alike', async () => {
      const missing = '3f2c0c6e-6b1c-4b53-9c36-0d3a3b1f3a10';
      for (const call of [
        (id) => memory.getById(id, ada),
        (id) => memory.getMany([id], ada),
        (id) => memory.update(id, { importance: 1 }, ada),
        (id) => memory.delete(id, ada),
      ]) {
        expect(await call(other.id)).toEqual(await call(missing));
      }
      const errors = [];
      for (const id of [other.id, missing]) {
        const { error } = await persistence.update({ id, importance: 1, ...ada });
        errors.push({ ...error.toJSON(), details: undefined });
      }
      expect(errors[0]).toEqual(errors[1]);
    });
  });

  test.each(['hybrid', 'vector', 'text'])('retrieve finds the own, in mode %s', async (mode) => {
    for (const [userId, { id }] of [
      ['ada', own],
      ['alan', other],
    ]) {
      const found = await memory.retrieve(userId, 'lunch', { mode, conversationId: 'conv-1' });
      expect(found.map((item) => item.id)).toEqual([id]);
    }
    expect(await memory.retrieve('nobody', 'lunch', { mode })).toEqual([]);
  });

  test('getAll and getStats know the own', async () => {
    expect((await memory.getAll('ada', { conversationId: 'conv-1' })).map(({ id }) => id)).toEqual([own.id]);
    expect(await memory.getStats('ada')).toMatchObject({ total: 1, byConversation: { 'conv-1': 1 } });
  });

  test('entities of the same name are not the same', async () => {
    expect(await database.graph.entities()).toEqual([
      { userId: 'ada', type: 'person', normalized: 'grace hopper', frequency: 1 },
      { userId: 'alan', type: 'person', normalized: 'grace hopper', frequency: 1 },
    ]);
  });

  test('sync calls for a user are about that user', async () => {
    const { graph } = database;
    const { sync } = layer;
    await graph.lose(own.id);
    await graph.lose(other.id);
    expect((await sync.checkConsistency({ userId: 'ada' })).map(({ memoryId }) => memoryId)).toEqual([
      own.id,
    ]);
    expect(await sync.fullSync({ userId: 'ada' })).toMatchObject({
      totalChecked: 1,
      repaired: 1,
      pending: 0,
    });
    expect(await graph.memories()).toEqual([own.id]);
    expect(await sync.rebuildGraph({ userId: 'alan', clearExisting: true })).toMatchObject({ pending: 0 });
    expect(await graph.memories()).toEqual([own.id, other.id].sort());
    await graph.lose(other.id);
    await sync.rebuildGraph({ userId: 'ada', clearExisting: true });
    expect(await graph.memories()).toEqual([own.id]);
    await sync.fullSync();
    await unharmed();
  });

  test('deleting the own entity leaves the other’s', async () => {
    await memory.delete(own.id, { userId: 'ada', hard: true });
    expect(await database.graph.entities()).toEqual([
      { userId: 'alan', type: 'person', normalized: 'grace hopper', frequency: 1 },
    ]);
    await unharmed();
  });
});
