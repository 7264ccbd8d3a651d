// Drift between Postgres and the graph: found, told, repaired, rebuilt.
import * as api from 'izzie-memory';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { onBothGraphs, rejection, useGraph } from '../support.mjs';

const GRACE = { type: 'person', value: 'Grace' };
const ENGINE = { type: 'project', value: 'Engine' };

onBothGraphs('syncService on the %s graph', (kind) => {
  const database = useGraph(kind);
  let memory;
  let sync;
  let graph;
  let stored;

  beforeAll(() => {
    ({ memory, sync } = database.layer({ extractor: 'none' }));
    ({ graph } = database);
  });

  /** Six memories of two users, and nothing else, in both stores. */
  beforeEach(async () => {
    await sync.getStats(); // what is on its way has arrived
    await database.empty();
    stored = [];
    for (let index = 0; index < 6; index += 1) {
      const userId = index < 4 ? 'ada' : 'alan';
      stored.push(await memory.store({ userId, content: `memory ${index}` }, { entities: [GRACE, ENGINE] }));
    }
  });

  const ids = () => stored.map(({ id }) => id).sort();
  const issues = (list) => Object.fromEntries(list.map(({ memoryId, issue }) => [memoryId, issue]));

  /** One difference of each kind. */
  async function damage() {
    const [missing, changed] = stored;
    await graph.lose(missing.id);
    await graph.damage(changed.id);
    const invented = await graph.invent('ada');
    return {
      [missing.id]: 'missing_in_graph',
      [changed.id]: 'metadata_mismatch',
      [invented]: 'missing_in_vector',
    };
  }

  async function expectEquality() {
    expect(await sync.checkConsistency()).toEqual([]);
    expect(await graph.memories()).toEqual(ids());
    expect(await graph.entities()).toEqual([
      { userId: 'ada', type: 'person', normalized: 'grace', frequency: 4 },
      { userId: 'ada', type: 'project', normalized: 'engine', frequency: 4 },
      { userId: 'alan', type: 'person', normalized: 'grace', frequency: 2 },
      { userId: 'alan', type: 'project', normalized: 'engine', frequency: 2 },
    ]);
    for (const id of ids()) expect(await graph.mentions(id)).toEqual(['engine', 'grace']);
    const counts = { vectorStoreCount: 6, graphStoreCount: 6, syncPercentage: 100 };
    expect(await sync.getStats()).toMatchObject({ ...counts, pending: 0, dead: 0 });
    const { status, metrics } = await memory.getHealth();
    expect({ status, metrics }).toEqual({ status: 'healthy', metrics: { totalMemories: 6, ...counts } });
  }

  test('finds nothing where nothing is wrong', async () => {
    await expectEquality();
    const result = await sync.fullSync();
    expect(result).toEqual({
      totalChecked: 6,
      inconsistencies: [],
      repaired: 0,
      failed: 0,
      conflicts: 0,
      duration: expect.any(Number),
      pending: 0,
    });
  });

  test('check tells every difference, and repairs none', async () => {
    const expected = await damage();
    const found = await sync.checkConsistency();
    expect(issues(found)).toEqual(expected);
    for (const { details, detectedAt } of found) {
      expect(details.length).toBeGreaterThan(10);
      expect(Math.abs(detectedAt.getTime() - Date.now())).toBeLessThan(60_000);
    }
    expect(issues(await sync.checkConsistency())).toEqual(expected);
    expect(await sync.checkConsistency({ userId: 'alan' })).toEqual([]);
    expect(Object.keys(issues(await sync.checkConsistency({ userId: 'ada' })))).toHaveLength(3);
  });

  test('the limit of a check bounds what is returned, not what is compared', async () => {
    for (const { id } of stored) await graph.lose(id);
    expect(await sync.checkConsistency({ limit: 2 })).toHaveLength(2);
    expect(await sync.checkConsistency({ limit: 100 })).toHaveLength(6);
    expect(await sync.checkConsistency({ limit: undefined })).toHaveLength(6);
    const last = ids().at(-1);
    await sync.fullSync();
    await graph.lose(last);
    expect(issues(await sync.checkConsistency({ limit: 1 }))).toEqual({ [last]: 'missing_in_graph' });
  });

  test('numbers are true while something is missing', async () => {
    await graph.lose(stored[0].id);
    expect(await sync.getStats()).toMatchObject({
      vectorStoreCount: 6,
      graphStoreCount: 5,
      syncPercentage: 83,
    });
    const { metrics } = await memory.getHealth();
    expect(metrics).toEqual({
      totalMemories: 6,
      vectorStoreCount: 6,
      graphStoreCount: 5,
      syncPercentage: 83,
    });
  });

  test('repair brings what is listed up to date, also from JSON', async () => {
    await damage();
    const list = JSON.parse(JSON.stringify(await sync.checkConsistency()));
    expect(typeof list[0].detectedAt).toBe('string');
    const result = await sync.repairInconsistencies(list);
    expect(result).toMatchObject({ repaired: 3, failed: 0, pending: 0 });
    await expectEquality();
    expect(await sync.repairInconsistencies(list)).toMatchObject({ failed: 0, pending: 0 });
    await expectEquality();
  });

  test('repair touches only what is listed', async () => {
    await damage();
    const list = (await sync.checkConsistency()).filter(({ issue }) => issue === 'missing_in_graph');
    expect(await sync.repairInconsistencies(list)).toMatchObject({ repaired: 1 });
    expect(Object.values(issues(await sync.checkConsistency())).sort()).toEqual([
      'metadata_mismatch',
      'missing_in_vector',
    ]);
  });

  test('repair of a list out of date, or about nothing, does no harm', async () => {
    await damage();
    const list = await sync.checkConsistency();
    await memory.update(stored[0].id, { content: 'newer' });
    await memory.delete(stored[1].id, { hard: true });
    await sync.repairInconsistencies([
      ...list,
      { ...list[0], memoryId: '3f2c0c6e-6b1c-4b53-9c36-0d3a3b1f3a10' },
    ]);
    expect(await sync.checkConsistency()).toEqual([]);
    expect(await graph.memories()).toEqual(ids().filter((id) => id !== stored[1].id));
    expect(await memory.getById(stored[0].id)).toMatchObject({ content: 'newer' });
    expect(await sync.repairInconsistencies([])).toMatchObject({ totalChecked: 0, repaired: 0, pending: 0 });
  });

  test('fullSync with dryRun reports only', async () => {
    const expected = await damage();
    const result = await sync.fullSync({ dryRun: true });
    expect(result).toMatchObject({ repaired: 0, failed: 0 });
    expect(issues(result.inconsistencies)).toEqual(expected);
    expect(result.inconsistencies[0].detectedAt).toBeInstanceOf(Date);
    expect(issues(await sync.checkConsistency())).toEqual(expected);
    expect(await sync.fullSync({ dryRun: true, limit: 1 })).toMatchObject({ inconsistencies: { length: 1 } });
  });

  test('fullSync repairs all', async () => {
    const expected = await damage();
    const result = await sync.fullSync();
    expect(result).toMatchObject({ repaired: 3, failed: 0, pending: 0 });
    expect(issues(result.inconsistencies)).toEqual(expected);
    expect(result.duration).toBeGreaterThan(0);
    await expectEquality();
    const { lastSync } = await sync.getStats();
    expect(Math.abs(lastSync.getTime() - Date.now())).toBeLessThan(60_000);
    expect((await memory.getHealth()).lastSync).toEqual(lastSync);
  });

  test('fullSync with a limit repairs at most so many', async () => {
    for (const { id } of stored) await graph.lose(id);
    const result = await sync.fullSync({ limit: 2 });
    expect(result.inconsistencies).toHaveLength(2);
    expect(result.repaired).toBe(2);
    expect(result.totalChecked).toBe(6);
    expect(await graph.memories()).toHaveLength(2);
    await sync.fullSync();
    await expectEquality();
  });

  test('rebuildGraph restores what was lost', async () => {
    for (const { id } of stored) await graph.lose(id);
    expect(await sync.rebuildGraph()).toMatchObject({ totalChecked: 6, repaired: 6, failed: 0, pending: 0 });
    await expectEquality();
  });

  test('rebuildGraph with clearExisting removes what does not belong', async () => {
    await graph.invent('ada');
    await sync.rebuildGraph({ clearExisting: true });
    await expectEquality();
  });

  test('rebuildGraph with clearExisting and a limit owes every cleared memory', async () => {
    const result = await sync.rebuildGraph({ clearExisting: true, limit: 2 });
    expect(result).toMatchObject({ pending: 4, repaired: 2, failed: 0 });
    expect(await graph.memories()).toHaveLength(2);
    expect(await sync.getStats()).toMatchObject({ graphStoreCount: 2, pending: 4, syncPercentage: 33 });
    expect(await sync.checkConsistency(), 'what is owed is no difference').toEqual([]);
    expect(await sync.fullSync()).toMatchObject({ pending: 0 });
    await expectEquality();
  });

  test('deleted memories leave the graph, with their mentions', async () => {
    await memory.delete(stored[0].id);
    await memory.delete(stored[1].id, { hard: true });
    expect(await graph.memories()).toEqual(ids().filter((id) => ![stored[0].id, stored[1].id].includes(id)));
    expect((await graph.entities())[0]).toMatchObject({ userId: 'ada', normalized: 'grace', frequency: 2 });
    expect(await sync.getStats()).toMatchObject({
      vectorStoreCount: 4,
      graphStoreCount: 4,
      syncPercentage: 100,
    });
    await sync.rebuildGraph({ clearExisting: true });
    expect(await graph.memories()).toHaveLength(4);
  });

  test('an update moves the mentions', async () => {
    await memory.update(stored[5].id, { entities: [{ type: 'tool', value: 'Loom' }] });
    expect(await graph.mentions(stored[5].id)).toEqual(['loom']);
    expect((await graph.entities()).filter(({ userId }) => userId === 'alan')).toEqual([
      { userId: 'alan', type: 'person', normalized: 'grace', frequency: 1 },
      { userId: 'alan', type: 'project', normalized: 'engine', frequency: 1 },
      { userId: 'alan', type: 'tool', normalized: 'loom', frequency: 1 },
    ]);
  });

  test('relationships become edges with their confidence and evidence, and go with their memory', async () => {
    const edge = { fromType: 'person', fromValue: 'Grace', toType: 'project', toValue: 'Engine' };
    const { id } = await memory.store(
      { userId: 'ada', content: 'she works on it' },
      {
        relationships: [{ ...edge, relationshipType: 'WORKS_ON', confidence: 0.5, evidence: 'works on it' }],
      },
    );
    expect(await graph.relations()).toEqual([
      { type: 'WORKS_ON', from: 'grace', to: 'engine', confidence: 0.5, evidence: 'works on it' },
    ]);
    await memory.update(id, { relationships: [{ ...edge, relationshipType: 'LEADS' }] });
    expect((await graph.relations()).map(({ type }) => type)).toEqual(['LEADS']);
    await sync.rebuildGraph({ clearExisting: true });
    expect((await graph.relations()).map(({ type }) => type)).toEqual(['LEADS']);
    await memory.delete(id);
    expect(await graph.relations()).toEqual([]);
  });

  describe('cascadeGraph: false', () => {
    test.each([{ clearExisting: false }, { clearExisting: true }])(
      'is undone by rebuildGraph(%o)',
      async (options) => {
        const [{ id }] = stored;
        await memory.delete(id, { cascadeGraph: false });
        expect(await sync.rebuildGraph(options)).toMatchObject({ failed: 0, pending: 0 });
        expect(await graph.memories()).toEqual(ids().filter((other) => other !== id));
      },
    );

    test.each([false, true])('with hard: %s keeps the node, detached', async (hard) => {
      const [{ id }] = stored;
      await memory.delete(id, { cascadeGraph: false, hard });
      expect(await graph.memories(), 'the node stays').toContain(id);
      expect(await graph.mentions(id)).toEqual(['engine', 'grace']);
      expect(await memory.getById(id), 'not returned').toBeNull();
      expect(await memory.retrieve('ada', 'memory 0', { mode: 'text' })).toHaveLength(3);
      expect(await sync.checkConsistency(), 'not drift').toEqual([]);
      expect(await sync.fullSync()).toMatchObject({ repaired: 0, pending: 0 });
      expect(await graph.memories(), 'not repaired').toContain(id);
      expect(await sync.getStats()).toMatchObject({
        vectorStoreCount: 5,
        graphStoreCount: 5,
        syncPercentage: 100,
      });
    });
  });

  describe('for an empty user', () => {
    test('compares and writes all, as the routes of the TypeScript layer send it', async () => {
      const { sync } = database.layer();
      for (const userId of ['', undefined]) {
        const expected = await sync.fullSync({ dryRun: true });
        expect(await sync.fullSync({ userId })).toMatchObject({ totalChecked: expected.totalChecked });
        expect(await sync.checkConsistency({ userId, limit: 5 })).toEqual([]);
        expect(await sync.verify({ userId })).toMatchObject({ checked: expected.totalChecked });
        expect(await sync.rebuildGraph({ userId })).toMatchObject({ pending: 0, failed: 0 });
        expect((await sync.getQueue({ userId, target: 'graph' })).items).toEqual([]);
      }
    });

    test('is refused by what costs, removes or speaks of memories', async () => {
      const { sync, memory } = database.layer();
      for (const call of [
        () => sync.backfill({ userId: '' }),
        () => sync.purgeConflicts({ userId: '' }),
        () => memory.getAll(''),
        () => memory.deleteAll('', { hard: false }),
        () => memory.purgeDeleted({ olderThan: new Date(), userId: '' }),
      ]) {
        expect(await rejection(call())).toMatchObject({
          reason: 'INVALID_ARGUMENT',
          details: { field: 'userId' },
        });
      }
    });
  });

  describe('without a graph', () => {
    test('there is nothing to sync, which is no fault', async () => {
      const none = database.layer({ graphStore: 'none' });
      for (const call of [
        () => none.sync.checkConsistency(),
        () => none.sync.fullSync(),
        () => none.sync.rebuildGraph(),
      ]) {
        const error = await rejection(call());
        expect(error).toBeInstanceOf(api.SyncError);
        expect(error).toMatchObject({ code: 'SYNC_ERROR', reason: 'NOT_CONFIGURED', retryable: false });
      }
    });
  });
});
