// Writes of many memories, and the life of a memory: revisions, deletion, restoration, removal for good.
import { randomUUID } from 'node:crypto';
import * as api from 'izzie-memory';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { onBothGraphs, rejection, tableEmbedder, useGraph } from '../support.mjs';

const GRACE = { type: 'person', value: 'Grace' };
const OLD = "now() - interval '2 days'";

onBothGraphs('on the %s graph', (kind) => {
  const database = useGraph(kind);
  let layer;
  let memory;
  let sync;
  let graph;

  beforeAll(() => {
    layer = database.layer({ extractor: 'none', limits: { batch: 50 } });
    ({ memory, sync } = layer);
    ({ graph } = database);
  });

  beforeEach(async () => {
    await sync.getStats(); // what is on its way has arrived
    await database.empty();
  });

  const entries = (count, more) =>
    Array.from({ length: count }, (_, index) => ({
      userId: 'ada',
      content: `memory ${index}`,
      entities: [GRACE],
      ...more,
    }));
  const grace = (frequency) => ({ userId: 'ada', type: 'person', normalized: 'grace', frequency });
  const idsOf = (list) => list.map(({ id }) => id);
  const sorted = (ids) => [...ids].sort();
  const rows = async () =>
    (await database.query('select id from memory_entries order by id::text')).map(({ id }) => id);

  async function expectEquality() {
    expect(await sync.checkConsistency({ deep: true })).toEqual([]);
    expect(await sync.getStats()).toMatchObject({ pending: 0, dead: 0 });
  }

  describe('storeMany', () => {
    test('stores all, in order, in both stores', async () => {
      const told = [];
      const onProgress = (progress) => told.push(progress);
      const { stored, failed } = await memory.storeMany(entries(25), { chunkSize: 10, onProgress });
      expect(failed).toEqual([]);
      expect(stored.map(({ content }) => content)).toEqual(entries(25).map(({ content }) => content));
      for (const { metadata, entities } of stored) {
        expect(metadata).toMatchObject({ created: true, vectorWriteSuccess: true, graphWriteSuccess: true });
        expect(entities).toMatchObject([GRACE]);
      }
      expect(told.map(({ done, total }) => [done, total])).toEqual([
        [10, 25],
        [20, 25],
        [25, 25],
      ]);
      expect(await rows()).toEqual(sorted(idsOf(stored)));
      expect(await graph.memories()).toEqual(sorted(idsOf(stored)));
      expect(await graph.entities()).toEqual([grace(25)]);
      await expectEquality();
    });

    test('a bad entry harms no other, whatever is wrong with it', async () => {
      const taken = await memory.store({ userId: 'alan', content: 'mine' });
      const given = entries(9);
      given[1] = { ...given[1], content: '' };
      given[2] = { ...given[2], importance: 11 };
      given[3] = { ...given[3], importence: 5 };
      given[4] = { ...given[4], id: taken.id };
      given[5] = { ...given[5], metadata: { big: 1n } };
      given[6] = { ...given[6], embedding: [1, 2] };
      given[7] = { content: 'nobody’s' };
      const { stored, failed } = await memory.storeMany(given);
      expect(stored.map(({ content }) => content)).toEqual(['memory 0', 'memory 8']);
      expect(failed.map(({ index, error }) => [index, error.reason, error.details.field])).toEqual([
        [1, 'INVALID_ARGUMENT', 'content'],
        [2, 'INVALID_ARGUMENT', 'importance'],
        [3, 'INVALID_ARGUMENT', 'importence'],
        [4, 'ID_CONFLICT', undefined],
        [5, 'INVALID_ARGUMENT', 'metadata.big'],
        [6, 'DIMENSION_MISMATCH', 'embedding'],
        [7, 'INVALID_ARGUMENT', 'userId'],
      ]);
      for (const { error } of failed) {
        expect(error).toBeInstanceOf(api.PersistenceError);
        expect(JSON.stringify(error), 'nothing of another user’s memory').not.toContain('mine');
      }
      expect(await graph.entities()).toEqual([grace(2)]);
      await expectEquality();
    });

    test('repeated with ids and keys it stores nothing twice', async () => {
      const given = entries(6).map((entry, index) =>
        index % 2 === 0 ? { ...entry, id: randomUUID() } : { ...entry, idempotencyKey: `key ${index}` },
      );
      const first = await memory.storeMany(given);
      const again = await memory.storeMany(given, { chunkSize: 4 });
      expect(idsOf(again.stored)).toEqual(idsOf(first.stored));
      expect(first.stored.map(({ metadata }) => metadata.created)).toEqual(Array(6).fill(true));
      expect(again.stored.map(({ metadata }) => metadata.created)).toEqual(Array(6).fill(false));
      const [changed] = (await memory.storeMany([{ ...given[0], content: 'other' }])).failed;
      expect(changed.error.reason).toBe('ID_CONFLICT');
      expect(await rows()).toHaveLength(6);
      await expectEquality();
    });

    test('the same id or key twice in one chunk is one memory', async () => {
      const [one] = entries(1, { id: randomUUID() });
      const [other] = entries(1, { idempotencyKey: 'the key' });
      const { stored, failed } = await memory.storeMany([one, other, one, other]);
      expect(failed).toEqual([]);
      expect(stored.map(({ metadata }) => metadata.created)).toEqual([true, true, false, false]);
      expect(idsOf(stored.slice(2))).toEqual(idsOf(stored.slice(0, 2)));
      expect(await rows()).toHaveLength(2);
      await expectEquality();
    });

    test('keeps everything that store keeps', async () => {
      const createdAt = new Date('2020-01-02T03:04:05.678Z');
      const options = {
        conversationId: 'conv',
        importance: 9,
        summary: 's',
        createdAt,
        extractEntities: false,
      };
      const edge = { fromType: 'person', fromValue: 'Grace', toType: 'project', toValue: 'Engine' };
      const relationships = [{ ...edge, relationshipType: 'WORKS_ON', evidence: 'e' }];
      const entry = { userId: 'ada', content: 'c', metadata: { a: [1, null] }, ...options, relationships };
      const { stored } = await memory.storeMany([entry]);
      const found = await memory.getById(stored[0].id);
      expect(found).toMatchObject({ conversationId: 'conv', importance: 9, summary: 's', createdAt });
      expect(found.metadata).toMatchObject({ a: [1, null] });
      expect(await graph.relations()).toMatchObject([{ type: 'WORKS_ON', from: 'grace', to: 'engine' }]);
      await expectEquality();
    });

    test('an abort between two chunks keeps the first', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const onProgress = () => controller.abort(reason);
      const options = { chunkSize: 3, onProgress, signal: controller.signal };
      expect(await rejection(memory.storeMany(entries(9), options))).toBe(reason);
      expect(await rows()).toHaveLength(3);
      expect(await graph.memories()).toHaveLength(3);
      await expectEquality();
    });

    test('a chunk cannot be larger than limits.batch', async () => {
      const error = await rejection(memory.storeMany(entries(1), { chunkSize: 51 }));
      expect(error).toMatchObject({
        reason: 'INVALID_ARGUMENT',
        details: { field: 'options.chunkSize', limit: 50 },
      });
      expect((await memory.storeMany(entries(60), { chunkSize: 50 })).stored).toHaveLength(60);
    });

    test('of persistence gives one result for each entry', async () => {
      const given = [...entries(1), { userId: 'ada' }, ...entries(1, { defer: true })];
      const results = await layer.persistence.storeMany(given);
      expect(results.map(({ success }) => success)).toEqual([true, false, true]);
      expect(results[0]).toMatchObject({
        data: { content: 'memory 0' },
        metadata: { graphWriteSuccess: true },
      });
      expect(results[1].error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field: 'content' } });
      expect(results[2].metadata.graphWriteSuccess).toBe(false);
      expect(await sync.drain()).toMatchObject({ paid: 1, pending: 0 });
      await expectEquality();
    });
  });

  describe('deleteMany', () => {
    test.each([false, true])('with hard: %s deletes what is there, in both stores', async (hard) => {
      const { stored } = await memory.storeMany(entries(120), { chunkSize: 50 });
      const others = (await memory.storeMany(entries(1, { userId: 'alan' }))).stored;
      const given = [...idsOf(stored.slice(0, 110)), randomUUID(), idsOf(others)[0], stored[0].id];
      const { deleted, failed } = await memory.deleteMany(given, { userId: 'ada', hard });
      expect(failed).toEqual([]);
      expect(sorted(deleted)).toEqual(sorted(idsOf(stored.slice(0, 110))));
      const left = sorted(idsOf([...stored.slice(110), ...others]));
      expect(await graph.memories()).toEqual(left);
      expect(await rows()).toHaveLength(hard ? 11 : 121);
      expect((await memory.getStats('ada')).total).toBe(10);
      expect(await memory.deleteMany(given, { userId: 'ada', hard })).toEqual({ deleted: [], failed: [] });
      expect(await graph.entities()).toEqual([grace(10), { ...grace(1), userId: 'alan' }]);
      await expectEquality();
    });

    test('with cascadeGraph: false keeps the nodes, detached', async () => {
      const { stored } = await memory.storeMany(entries(3));
      const [kept, ...gone] = idsOf(stored);
      await memory.deleteMany(gone, { cascadeGraph: false });
      expect(await graph.memories()).toEqual(sorted(idsOf(stored)));
      expect((await memory.getAll('ada')).map(({ id }) => id)).toEqual([kept]);
      await expectEquality();
    });
  });

  describe('deleteAll', () => {
    test.each([false, true])('with hard: %s deletes all of one user', async (hard) => {
      await memory.storeMany([...entries(130), ...entries(2, { userId: 'alan' })], { chunkSize: 50 });
      const [marked] = await memory.getAll('ada', { limit: 1 });
      await memory.delete(marked.id);
      const told = [];
      const result = await memory.deleteAll('ada', { hard, onProgress: (progress) => told.push(progress) });
      expect(result).toEqual({ deleted: hard ? 130 : 129, pending: 0 });
      const { done, total } = told.at(-1);
      expect(done).toBe(total);
      expect(done, 'once for each store that has a part of its own to do').toBeGreaterThanOrEqual(
        result.deleted,
      );
      expect(await rows()).toHaveLength(hard ? 2 : 132);
      expect(await graph.memories()).toEqual(sorted(idsOf(await memory.getAll('alan'))));
      expect(await graph.entities()).toEqual([{ ...grace(2), userId: 'alan' }]);
      expect(await memory.getStats('ada')).toMatchObject({ total: 0 });
      expect(await memory.deleteAll('ada', { hard })).toEqual({ deleted: 0, pending: 0 });
      await expectEquality();
    });

    test('with hard removes what cascadeGraph: false left in the graph', async () => {
      const { stored } = await memory.storeMany(entries(2));
      await memory.delete(stored[0].id, { cascadeGraph: false });
      await memory.delete(stored[1].id, { cascadeGraph: false, hard: true });
      expect(await graph.memories()).toHaveLength(2);
      await memory.deleteAll('ada', { hard: true });
      expect(await graph.memories()).toEqual([]);
      await expectEquality();
    });

    test('that was aborted is finished by the next call', async () => {
      await memory.storeMany(entries(150), { chunkSize: 50 });
      const controller = new AbortController();
      const reason = new Error('enough');
      const options = { hard: true, signal: controller.signal, onProgress: () => controller.abort(reason) };
      const outcome = await memory.deleteAll('ada', options).catch((error) => error);
      const left = (await rows()).length;
      if (left > 0) expect(outcome).toBe(reason);
      const { deleted } = await memory.deleteAll('ada', { hard: true });
      expect(deleted).toBe(left);
      expect(await rows()).toEqual([]);
      expect(await graph.memories()).toEqual([]);
      await expectEquality();
    });

    test('must be told whether for good', async () => {
      await memory.storeMany(entries(1));
      for (const options of [undefined, {}, { hard: 'yes' }]) {
        const error = await rejection(memory.deleteAll('ada', options));
        expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field: 'hard' } });
      }
      expect(await rows()).toHaveLength(1);
    });
  });

  describe('restore', () => {
    test('brings a deleted memory back, into the graph too', async () => {
      const { id, revision } = await memory.store({ userId: 'ada', content: 'c' }, { entities: [GRACE] });
      await memory.delete(id);
      expect(await graph.memories()).toEqual([]);
      const restored = await memory.restore(id, { userId: 'ada' });
      expect(restored).toMatchObject({ id, content: 'c', entities: [GRACE] });
      expect(restored.metadata.graphWriteSuccess).toBe(true);
      expect(restored.revision).toBeGreaterThan(revision);
      expect(await memory.getById(id)).toMatchObject({ content: 'c' });
      expect(await graph.memories()).toEqual([id]);
      expect(await graph.mentions(id)).toEqual(['grace']);
      await expectEquality();
    });

    test('attaches a detached node again', async () => {
      const { id } = await memory.store({ userId: 'ada', content: 'c' }, { entities: [GRACE] });
      await memory.delete(id, { cascadeGraph: false });
      expect(await memory.restore(id)).toMatchObject({ id });
      await expectEquality();
      expect(await sync.getStats()).toMatchObject({ vectorStoreCount: 1, graphStoreCount: 1 });
    });

    test('is null for what is not deleted, not there, removed for good, or somebody else’s', async () => {
      const [live, gone, marked] = (await memory.storeMany(entries(3))).stored;
      await memory.delete(gone.id, { hard: true });
      await memory.delete(marked.id);
      expect(await memory.restore(live.id)).toBeNull();
      expect(await memory.restore(gone.id)).toBeNull();
      expect(await memory.restore(randomUUID())).toBeNull();
      expect(await memory.restore(marked.id, { userId: 'alan' })).toBeNull();
      expect(await memory.getById(marked.id)).toBeNull();
      expect(await graph.memories()).toEqual([live.id]);
      await expectEquality();
    });
  });

  describe('purgeDeleted', () => {
    /** Deleted long ago: one of each user's, and one of Ada's just now. */
    async function deleted() {
      const stored = [
        ...(await memory.storeMany(entries(3))).stored,
        ...(await memory.storeMany(entries(1, { userId: 'alan' }))).stored,
      ];
      const [old, recent, , others] = stored;
      await memory.deleteMany(idsOf([old, recent, others]));
      await database.query(
        `update izzie_memory.memory_state set changed_at = ${OLD} where memory_id = any($1)`,
        [idsOf([old, others])],
      );
      return stored;
    }

    const yesterday = () => new Date(Date.now() - 24 * 3600 * 1000);

    test('removes what was deleted before a moment, and nothing else', async () => {
      const [old, recent, live, others] = await deleted();
      expect(await memory.purgeDeleted({ olderThan: yesterday(), userId: 'ada' })).toEqual({ purged: 1 });
      expect(await rows()).toEqual(sorted(idsOf([recent, live, others])));
      expect(await memory.purgeDeleted({ olderThan: yesterday() })).toEqual({ purged: 1 });
      expect(await rows()).toEqual(sorted(idsOf([recent, live])));
      expect(await memory.restore(old.id)).toBeNull();
      expect(await memory.restore(recent.id)).toMatchObject({ id: recent.id });
      await sync.drain();
      await expectEquality();
    });

    test('does not let a memory come back under its id by accident', async () => {
      const [old] = await deleted();
      await memory.purgeDeleted({ olderThan: yesterday() });
      const again = await memory.store({ userId: 'ada', content: 'anew' }, { id: old.id });
      expect(again.metadata.created).toBe(true);
      expect(again.revision).toBeGreaterThan(old.revision);
      expect(await graph.memories()).toContain(old.id);
      await sync.drain();
      await expectEquality();
    });

    test('needs a moment', async () => {
      for (const options of [undefined, {}, { olderThan: 'yesterday' }]) {
        const error = await rejection(memory.purgeDeleted(options));
        expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field: 'olderThan' } });
      }
    });
  });

  describe('expectedRevision', () => {
    let stored;

    beforeEach(async () => {
      stored = await memory.store({ userId: 'ada', content: 'first', metadata: { a: 1 } });
    });

    const conflict = (id, expected, current) => ({
      code: 'REVISION_CONFLICT',
      reason: 'REVISION_CONFLICT',
      retryable: false,
      details: { id, expected, actual: current.revision, current: expect.objectContaining({ id }) },
    });

    test('lets a write through that knows the memory as it is', async () => {
      const second = await memory.update(
        stored.id,
        { content: 'second' },
        { expectedRevision: stored.revision },
      );
      expect(second.revision).toBeGreaterThan(stored.revision);
      await memory.delete(stored.id, { expectedRevision: second.revision });
      expect(await memory.getById(stored.id)).toBeNull();
      await expectEquality();
    });

    test('refuses one that does not, shows the memory as it is, and writes nothing', async () => {
      const stale = stored.revision;
      const second = await memory.update(stored.id, { content: 'second' });
      const expected = conflict(stored.id, stale, second);
      const options = { expectedRevision: stale };
      expect(await rejection(memory.update(stored.id, { content: 'third' }, options))).toMatchObject(
        expected,
      );
      for (const hard of [false, true]) {
        expect(await rejection(memory.delete(stored.id, { ...options, hard }))).toMatchObject(expected);
      }
      const { persistence } = layer;
      const refusals = [
        await rejection(persistence.update({ id: stored.id, content: 'third', ...options })),
        await rejection(persistence.delete({ id: stored.id, ...options })),
      ];
      for (const error of refusals) expect(error).toMatchObject(expected);
      const { current } = refusals[0].details;
      expect(current).toMatchObject({ content: 'second', metadata: { a: 1 }, userId: 'ada' });
      expect(new Date(current.updatedAt).getTime()).toBeGreaterThan(0);
      expect(await memory.getById(stored.id)).toMatchObject({ content: 'second', revision: second.revision });
      await expectEquality();
    });

    test('of two writers at once lets one through', async () => {
      const options = { expectedRevision: stored.revision };
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) =>
          memory.update(stored.id, { content: `by ${index}` }, options),
        ),
      );
      const reasons = outcomes.map(({ status, reason }) =>
        status === 'fulfilled' ? 'written' : reason.reason,
      );
      expect(reasons.sort()).toEqual([...Array(7).fill('REVISION_CONFLICT'), 'written']);
      await expectEquality();
    });

    test('of what is not there, or somebody else’s, is not found rather than in conflict', async () => {
      const call = { expectedRevision: 1 };
      expect(await memory.update(randomUUID(), { summary: 's' }, call)).toBeNull();
      expect(await memory.update(stored.id, { summary: 's' }, { ...call, userId: 'alan' })).toBeNull();
      await memory.delete(randomUUID(), call);
      await memory.delete(stored.id, { ...call, userId: 'alan' });
      expect(await memory.getById(stored.id)).toMatchObject({ content: 'first' });
    });

    test.each([[0.5], ['1']])('cannot be %j', async (expectedRevision) => {
      const error = await rejection(memory.update(stored.id, { summary: 's' }, { expectedRevision }));
      expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field: 'expectedRevision' } });
    });
  });
});

describe('storeMany with an embedder', () => {
  const database = useGraph('postgres');

  test('asks it once for a chunk, but not where an embedding is given', async () => {
    const asked = [];
    const embedder = tableEmbedder({ a: [1, 0, 0], b: [0, 1, 0] });
    const embed = async (texts, options) => {
      asked.push(texts);
      return await embedder.embed(texts, options);
    };
    const { memory } = database.layer({ embedder: { ...embedder, embed }, extractor: 'none' });
    const entry = (content, more) => ({ userId: 'ada', content, ...more });
    const { stored } = await memory.storeMany([
      entry('a'),
      entry('given', { embedding: [0, 0, 1] }),
      entry('b'),
      entry('later', { defer: true }),
    ]);
    expect(stored).toHaveLength(4);
    expect(asked).toEqual([['a', 'b']]);
    for (const [content, embedding] of [
      ['a', [1, 0, 0]],
      ['given', [0, 0, 1]],
      ['b', [0, 1, 0]],
    ]) {
      const { id } = stored.find((one) => one.content === content);
      const [row] = await database.query(
        'select embedding::text from izzie_memory.memory_vectors where memory_id = $1',
        [id],
      );
      expect(JSON.parse(row.embedding)).toEqual(embedding);
    }
    const owed = (await database.debts()).filter(({ target }) => target === 'embedding');
    expect(owed.map(({ memory_id: id }) => id)).toEqual([stored[3].id]);
  });
});
