// What is owed to the graph: listed, paid, tried again, given up; and the background that does it by itself.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as api from 'izzie-memory';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startChild } from '../child.mjs';
import { onBothGraphs, rejection, useGraph } from '../support.mjs';

const GRACE = { type: 'person', value: 'Grace' };
const PATIENT = { timeout: 200_000, interval: 1000 };
/** On a machine with nothing else to do. */
const FEW_SECONDS = { timeout: 60_000, interval: 50 };

onBothGraphs('the queue of the %s graph', (kind) => {
  const database = useGraph(kind);
  let memory;
  let sync;
  let graph;

  beforeAll(async () => {
    // Without embeddings: only the graph is owed anything.
    const persistence = { enableVectorStore: false, graphWaitMs: 20_000 };
    ({ memory, sync } = database.layer({ extractor: 'none', persistence }));
    ({ graph } = database);
    // A Neo4j that has just started takes its time to plan.
    await owe(1);
    await vi.waitFor(() => sync.drain(), PATIENT);
  });

  beforeEach(async () => {
    await sync.getStats(); // what is on its way has arrived
    await database.empty();
  });

  /** Memories that are owed to the graph; resolves to their ids, sorted. */
  async function owe(count, userId = 'ada', service = memory) {
    const entries = Array.from({ length: count }, (_, index) => ({
      userId,
      content: `memory ${index}`,
      entities: [GRACE],
      defer: true,
    }));
    const ids = [];
    for (const { defer, entities, ...entry } of entries) {
      ids.push((await service.store(entry, { defer, entities })).id);
    }
    return ids.sort();
  }

  /** As after `retryAttempts` refusals. */
  const putAside = (ids) =>
    database.query(
      `update izzie_memory.memory_sync set state = 'dead', attempts = 3, last_error = 'refused'
       where memory_id = any($1) and target not in ('embedding', 'extraction')`,
      [ids],
    );

  const idsOf = (page) => page.items.map(({ memoryId }) => memoryId);

  describe('getQueue', () => {
    test('lists what is owed', async () => {
      const before = Date.now();
      const [id] = await owe(1);
      const { items, nextCursor } = await sync.getQueue();
      expect(items).toEqual([
        {
          memoryId: id,
          userId: 'ada',
          target: 'graph',
          state: 'pending',
          revision: (await memory.getMany([id]))[0].revision,
          attempts: 0,
          nextAttemptAt: expect.any(Date),
          owedAt: expect.any(Date),
        },
      ]);
      expect(nextCursor).toBeNull();
      expect(Math.abs(items[0].owedAt.getTime() - before)).toBeLessThan(60_000);
    });

    test('is empty when nothing is owed', async () => {
      await memory.store({ userId: 'ada', content: 'c' }, { entities: [GRACE] });
      await sync.getStats();
      expect(await sync.getQueue()).toEqual({ items: [], nextCursor: null });
    });

    test('goes page by page, each debt once', async () => {
      const ids = await owe(7);
      const pages = [];
      let cursor;
      do {
        const page = await sync.getQueue({ limit: 3, cursor });
        pages.push(idsOf(page));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(pages.flat().sort()).toEqual(ids);
    });

    test('says null after a last page that is full', async () => {
      await owe(4);
      const { nextCursor } = await sync.getQueue({ limit: 2 });
      expect(await sync.getQueue({ limit: 2, cursor: nextCursor })).toMatchObject({ nextCursor: null });
    });

    test('tells users, states and targets apart', async () => {
      const [dead, ...pending] = await owe(3);
      const others = await owe(1, 'alan');
      await putAside([dead]);
      expect(idsOf(await sync.getQueue({ userId: 'alan' }))).toEqual(others);
      const { items } = await sync.getQueue({ state: 'dead' });
      expect(items).toMatchObject([{ memoryId: dead, state: 'dead', attempts: 3, lastError: 'refused' }]);
      expect(idsOf(await sync.getQueue({ state: 'pending', userId: 'ada' })).sort()).toEqual(pending);
      expect(idsOf(await sync.getQueue({ target: 'graph' }))).toHaveLength(4);
      expect(await sync.getQueue({ target: 'embedding' })).toEqual({ items: [], nextCursor: null });
    });

    test.each([
      [{ limit: 0 }, 'limit'],
      [{ limit: 1001 }, 'limit'],
      [{ cursor: 'x' }, 'cursor'],
      [{ state: 'leased' }, 'state'],
      [{ target: 'neo4j' }, 'target'],
      [{ user: 'ada' }, 'user'],
    ])('refuses %j', async (options, field) => {
      expect(await rejection(sync.getQueue(options))).toMatchObject({
        reason: 'INVALID_ARGUMENT',
        details: { field },
      });
    });
  });

  describe('drain', () => {
    test('pays all that is owed', async () => {
      const ids = await owe(5);
      expect(await graph.memories()).toEqual([]);
      const result = await sync.drain();
      expect(result).toEqual({
        paid: 5,
        embedded: 0,
        extracted: 0,
        refused: 0,
        pending: 0,
        dead: 0,
        duration: expect.any(Number),
      });
      expect(await graph.memories()).toEqual(ids);
      expect(await sync.checkConsistency({ deep: true })).toEqual([]);
      expect(await sync.drain()).toMatchObject({ paid: 0, pending: 0 });
    });

    test('keeps to its bounds', async () => {
      await owe(5);
      expect(await sync.drain({ maxItems: 2 })).toMatchObject({ paid: 2, pending: 3 });
      expect(await sync.drain({ maxMs: 0 })).toMatchObject({ paid: 0, pending: 3 });
      expect(await sync.drain({ maxMs: 20_000, maxItems: 100 })).toMatchObject({ paid: 3, pending: 0 });
    });

    test('leaves alone what was put aside, and counts it', async () => {
      const [dead] = await owe(2);
      await putAside([dead]);
      expect(await sync.drain()).toMatchObject({ paid: 1, pending: 0, dead: 1 });
      expect(await graph.memories()).not.toContain(dead);
    });

    test('shared by several at once pays each debt once', async () => {
      const ids = await owe(40);
      const other = database.layer({ extractor: 'none', pool: { max: 3 } });
      const results = await Promise.all([sync.drain(), other.sync.drain(), sync.drain()]);
      expect(results.reduce((sum, { paid }) => sum + paid, 0)).toBe(40);
      expect(await graph.memories()).toEqual(ids);
      expect(await graph.entities()).toMatchObject([{ normalized: 'grace', frequency: 40 }]);
    });

    test('that is aborted rejects with the reason, and gives back what it held', async () => {
      const ids = await owe(5);
      const signal = AbortSignal.abort(new Error('enough'));
      expect(await rejection(sync.drain({ signal }))).toBe(signal.reason);
      const controller = new AbortController();
      const outcome = sync.drain({ signal: controller.signal }).catch((error) => error);
      setImmediate(() => controller.abort(new Error('now')));
      await outcome;
      await sync.drain();
      expect(await graph.memories()).toEqual(ids);
    });

    test.each([
      [{ maxMs: -1 }, 'maxMs'],
      [{ maxItems: 0 }, 'maxItems'],
      [{ maxItems: 1.5 }, 'maxItems'],
      [{ onProgress: () => {} }, 'onProgress'],
    ])('refuses %j', async (options, field) => {
      expect(await rejection(sync.drain(options))).toMatchObject({
        reason: 'INVALID_ARGUMENT',
        details: { field },
      });
    });
  });

  describe('deltaSync', () => {
    test('writes what is owed, of one user where it is told so', async () => {
      await owe(3);
      const others = await owe(2, 'alan');
      const told = [];
      const onProgress = (progress) => told.push(progress);
      const first = await sync.deltaSync({ userId: 'alan', onProgress });
      expect(first).toMatchObject({
        totalChecked: 2,
        repaired: 2,
        failed: 0,
        pending: 0,
        inconsistencies: [],
      });
      expect(told.at(-1)).toMatchObject({ done: 2, total: 2 });
      expect(await graph.memories()).toEqual(others);
      expect(await sync.deltaSync({ maxMs: 0 })).toMatchObject({ repaired: 0, pending: 3 });
      expect(await sync.deltaSync()).toMatchObject({ totalChecked: 3, repaired: 3, pending: 0 });
      expect(await graph.memories()).toHaveLength(5);
    });

    test('compares nothing', async () => {
      const [id] = await owe(1);
      await sync.drain();
      await graph.lose(id);
      expect(await sync.deltaSync()).toMatchObject({ totalChecked: 0, inconsistencies: [], pending: 0 });
      expect(await graph.memories()).toEqual([]);
    });
  });

  describe('what was put aside', () => {
    test('is tried again by retryNow', async () => {
      const ids = await owe(4);
      const [one, two, three, waiting] = ids;
      await putAside([one, two, three]);
      await database.query(
        "update izzie_memory.memory_sync set next_attempt_at = now() + interval '1 hour' where memory_id = $1",
        [waiting],
      );
      expect(await sync.getStats()).toMatchObject({ dead: 3, pending: 1 });
      expect(await sync.retryNow([one, randomUUID()])).toEqual({ revived: 1 });
      expect(await sync.getStats()).toMatchObject({ dead: 2, pending: 2 });
      expect(await sync.retryNow()).toEqual({ revived: 2 });
      expect(await sync.retryNow([waiting])).toEqual({ revived: 1 });
      const { items } = await sync.getQueue();
      for (const { state, attempts, nextAttemptAt } of items) {
        expect({ state, attempts }).toEqual({ state: 'pending', attempts: 0 });
        expect(nextAttemptAt.getTime()).toBeLessThan(Date.now() + 60_000);
      }
      expect(await sync.drain()).toMatchObject({ paid: 4, pending: 0, dead: 0 });
      expect(await graph.memories()).toEqual(ids);
    });

    test('is given up by purgeDead, and then a difference', async () => {
      const [dead, pending] = await owe(2);
      await putAside([dead]);
      expect(await sync.purgeDead([dead, pending, randomUUID()])).toEqual({ purged: 1 });
      expect(await sync.getStats()).toMatchObject({ dead: 0, pending: 1 });
      await sync.drain();
      expect(await sync.checkConsistency()).toMatchObject([{ memoryId: dead, issue: 'missing_in_graph' }]);
      expect(await sync.fullSync()).toMatchObject({ repaired: 1 });
      expect(await graph.memories()).toEqual([dead, pending].sort());
    });

    test('is revived by the next write', async () => {
      const [id] = await owe(1);
      await putAside([id]);
      await memory.update(id, { importance: 9 });
      expect(await sync.getStats()).toMatchObject({ dead: 0, pending: 0 });
      expect(await graph.memories()).toEqual([id]);
    });

    test.each([[undefined], [['x']], ['x']])('must be named: %j', async (ids) => {
      expect(await rejection(sync.purgeDead(ids))).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    });
  });

  describe('auto-sync', () => {
    afterEach(() => sync.stopAutoSync());

    test('pays what is owed as long as it runs', async () => {
      const first = await owe(2);
      await sync.startAutoSync();
      await sync.startAutoSync();
      await expect.poll(graph.memories, FEW_SECONDS).toEqual(first);
      const second = await owe(1);
      await expect.poll(graph.memories, FEW_SECONDS).toEqual([...first, ...second].sort());
      await sync.stopAutoSync();
      await sync.stopAutoSync();
      await owe(1);
      await sleep(2000);
      expect(await graph.memories()).toHaveLength(3);
    });

    test('checks on its interval, and says when', async () => {
      const settings = { enableAutoSync: true, syncIntervalMs: 1000, graphWaitMs: 20_000 };
      const layer = database.layer({ extractor: 'none', persistence: settings, pool: { max: 4 } });
      const { id } = await layer.memory.store({ userId: 'ada', content: 'c' }, { entities: [GRACE] });
      await graph.lose(id);
      await expect.poll(graph.memories, { ...FEW_SECONDS, timeout: 90_000 }).toEqual([id]);
      const lastSync = async () => (await layer.sync.getStats()).lastSync?.getTime() ?? 0;
      const before = await lastSync();
      await expect.poll(lastSync, { ...FEW_SECONDS, timeout: 90_000 }).toBeGreaterThan(before);
      expect((await layer.memory.getHealth()).lastSync.getTime()).toBeGreaterThan(before);
      await layer.close();
    });

    test('is started by the configuration once: what was stopped stays stopped', async () => {
      const persistence = { enableAutoSync: true };
      const layer = database.layer({ extractor: 'none', persistence, pool: { max: 4 } });
      const ids = await owe(1, 'ada', layer.memory);
      await expect.poll(graph.memories, FEW_SECONDS).toEqual(ids);
      await layer.sync.stopAutoSync();
      await owe(1, 'ada', layer.memory);
      await sleep(2000);
      expect(await graph.memories()).toEqual(ids);
      await layer.close();
    });

    test('can be enabled by one service’s own configuration', async () => {
      const settings = { databaseUrl: database.url, graphStore: kind, embedder: 'none', extractor: 'none' };
      await api.configure({ ...settings, neo4j: database.neo4j?.credentials });
      const service = new api.PersistenceService({ enableAutoSync: true });
      const { data } = await service.store({ userId: 'ada', content: 'c', defer: true });
      await expect.poll(graph.memories, FEW_SECONDS).toEqual([data.id]);
      await service.close();
    });

    test('cannot check more often than every second', async () => {
      const persistence = { syncIntervalMs: 999 };
      const layer = database.layer({ extractor: 'none', persistence, pool: { max: 4 } });
      const error = await rejection(layer.sync.startAutoSync());
      expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { limit: 1000 } });
      await layer.close();
    });
  });

  describe('a process with auto-sync', () => {
    const start = (script) =>
      startChild(script, {
        databaseUrl: database.url,
        graphStore: kind,
        neo4j: database.neo4j?.credentials,
        embedder: 'none',
        extractor: 'none',
      });

    test.each([
      ['SIGTERM', 'started'],
      ['SIGINT', 'configured'],
    ])('ends by %s, within 5 s, and leaves the lead and all leases', async (signal, script) => {
      await owe(20);
      const child = start(script);
      await child.says('running');
      await expect.poll(graph.memories, FEW_SECONDS).toHaveLength(20);
      const begun = performance.now();
      child.kill(signal);
      expect(await child.ended).toEqual({ code: null, signal });
      // The limit, and what it takes to die and to be told.
      expect(performance.now() - begun).toBeLessThan(8000);
      expect(await database.query('select name from izzie_memory.leases where lease_until > now()')).toEqual(
        [],
      );
      expect((await sync.getQueue()).items.filter(({ leasedUntil }) => leasedUntil)).toEqual([]);
    });

    test('lets the program end by itself', async () => {
      const child = start('ends');
      expect(await child.ended).toEqual({ code: 0, signal: null });
    });

    test('leaves a signal to a program that listens for it', async () => {
      const child = start('listens');
      await child.says('running');
      child.kill('SIGTERM');
      expect(await child.ended).toEqual({ code: 7, signal: null });
    });

    test('that was killed is followed by another one', async () => {
      const child = start('started');
      await child.says('running');
      await expect
        .poll(() => database.query('select name from izzie_memory.leases'), FEW_SECONDS)
        .toEqual([{ name: 'leader' }]);
      child.kill('SIGKILL');
      await child.ended;
      await database.query('update izzie_memory.leases set lease_until = now()'); // as after 15 s
      const ids = await owe(3);
      const next = start('started');
      await expect.poll(graph.memories, FEW_SECONDS).toEqual(ids);
      await expect
        .poll(() => database.query('select 1 from izzie_memory.leases where lease_until > now()'), {
          ...FEW_SECONDS,
          timeout: 90_000,
        })
        .toHaveLength(1);
      next.kill('SIGTERM');
      await next.ended;
    });
  });
});

describe('without a graph', () => {
  const database = useGraph('postgres');

  test('nothing is owed to one, and nothing can be paid', async () => {
    const { memory, sync } = database.layer({ extractor: 'none', graphStore: 'none' });
    await memory.store({ userId: 'ada', content: 'c' }, { entities: [GRACE] });
    expect(await sync.getQueue({ target: 'graph' })).toEqual({ items: [], nextCursor: null });
    expect(await sync.drain()).toMatchObject({ paid: 0, pending: 0 });
    for (const call of [() => sync.deltaSync(), () => sync.verify()]) {
      expect(await rejection(call())).toMatchObject({ reason: 'NOT_CONFIGURED' });
    }
    await sync.startAutoSync();
    await sync.stopAutoSync();
  });
});
