// Somebody edited the graph: found by reading it back, decided by a strategy, kept in a log. And verdicts, progress and
// abort of long sync calls.
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { onBothGraphs, rejection, useGraph } from '../support.mjs';

const PATIENT = { timeout: 200_000, interval: 1000 };
const entity = (value, type = 'person') => ({ type, value });
const names = ({ entities }) => entities.map(({ normalized }) => normalized).sort();

onBothGraphs('conflicts with the %s graph', (kind) => {
  const database = useGraph(kind);
  let memory;
  let sync;
  let graph;
  let stored;
  let other;

  beforeAll(async () => {
    ({ memory, sync } = database.layer({ extractor: 'none' }));
    ({ graph } = database);
    // A Neo4j that has just started takes its time to plan.
    await vi.waitFor(() => sync.checkConsistency({ deep: true }), PATIENT);
  });

  beforeEach(async () => {
    await sync.getStats(); // what is on its way has arrived
    await database.empty();
    await database.query('truncate izzie_memory.conflicts');
    const entities = [entity('Grace'), entity('Engine', 'project')];
    stored = await memory.store({ userId: 'ada', content: 'Grace builds the engine' }, { entities });
    other = await memory.store(
      { userId: 'ada', content: 'the loom' },
      { entities: [entity('Loom', 'tool')] },
    );
  });

  /** The memory mentions the loom instead of the engine, says the graph. */
  async function edit() {
    await graph.unmention(stored.id, 'engine');
    await graph.mention(stored.id, 'loom');
  }

  const fullSync = (options) => sync.fullSync({ deep: true, ...options });
  const openConflicts = async () => (await sync.getConflicts({ state: 'open' })).items;
  const resolved = async () => (await sync.getConflicts({ state: 'resolved' })).items;

  /** Both stores say so, and agree. */
  async function expectMentions(expected) {
    expect(names(await memory.getById(stored.id))).toEqual(expected);
    expect(await graph.mentions(stored.id)).toEqual(expected);
    expect(await sync.checkConsistency({ deep: true })).toEqual([]);
    expect(await sync.getStats()).toMatchObject({ pending: 0, dead: 0, conflicts: 0 });
  }

  test('are told from lag, with the fields that differ', async () => {
    await edit();
    await graph.lose(other.id);
    expect(await sync.checkConsistency(), 'digests do not see an edit').toMatchObject([
      { memoryId: other.id, issue: 'missing_in_graph', conflict: false },
    ]);
    const found = await sync.checkConsistency({ deep: true });
    const of = (id) => found.find(({ memoryId }) => memoryId === id);
    expect(of(stored.id)).toMatchObject({ issue: 'metadata_mismatch', conflict: true });
    expect(of(stored.id).fields).toContain('mentions');
    expect(of(other.id)).toMatchObject({ issue: 'missing_in_graph', conflict: false });
    expect(await sync.checkConsistency({ deep: true, userId: 'alan' })).toEqual([]);
    expect(await openConflicts(), 'a check decides nothing').toEqual([]);
  });

  describe('vector_wins', () => {
    test.each([[{}], [{ conflictStrategy: 'vector_wins' }]])('%j: Postgres is right', async (options) => {
      await edit();
      const { revision } = await memory.getById(stored.id);
      expect(await fullSync(options)).toMatchObject({ repaired: 1, failed: 0, conflicts: 0, pending: 0 });
      await expectMentions(['engine', 'grace']);
      expect((await memory.getById(stored.id)).revision).toBe(revision);
    });

    test('keeps what the graph said', async () => {
      await edit();
      const before = Date.now();
      await fullSync();
      const [entry] = await resolved();
      expect(entry).toMatchObject({
        id: expect.any(String),
        memoryId: stored.id,
        userId: 'ada',
        strategy: 'vector_wins',
        outcome: 'vector',
        fields: expect.arrayContaining(['mentions']),
      });
      expect(names(entry.graph)).toEqual(['grace', 'loom']);
      expect(Math.abs(entry.detectedAt.getTime() - before)).toBeLessThan(60_000);
      expect(entry.resolvedAt.getTime()).toBeGreaterThanOrEqual(entry.detectedAt.getTime());
    });

    test('removes a node that belongs to no memory', async () => {
      const invented = await graph.invent('ada');
      expect(await sync.checkConsistency()).toMatchObject([
        { memoryId: invented, issue: 'missing_in_vector', conflict: true },
      ]);
      expect(await sync.fullSync()).toMatchObject({ repaired: 1, failed: 0 });
      expect(await graph.memories()).not.toContain(invented);
      expect(await resolved()).toMatchObject([{ memoryId: invented, outcome: 'vector', vector: null }]);
    });
  });

  test('graph_wins: the memory takes over what the graph says, under a new revision', async () => {
    await edit();
    expect(await fullSync({ conflictStrategy: 'graph_wins' })).toMatchObject({ failed: 0, conflicts: 0 });
    await expectMentions(['grace', 'loom']);
    const changed = await memory.getById(stored.id);
    expect(changed.revision).toBeGreaterThan(stored.revision);
    expect(changed.content).toBe(stored.content);
    const [entry] = await resolved();
    expect(entry).toMatchObject({ strategy: 'graph_wins', outcome: 'graph', memoryId: stored.id });
    expect(names(entry.vector)).toEqual(['engine', 'grace']);
  });

  test('merge: the memory has the entities of both', async () => {
    await edit();
    expect(await fullSync({ conflictStrategy: 'merge' })).toMatchObject({ failed: 0, conflicts: 0 });
    await expectMentions(['engine', 'grace', 'loom']);
    expect((await memory.getById(stored.id)).revision).toBeGreaterThan(stored.revision);
    expect(await resolved()).toMatchObject([{ strategy: 'merge', outcome: 'merged' }]);
  });

  test('latest_wins: Postgres, where the graph does not say when it was edited', async () => {
    await edit();
    expect(await fullSync({ conflictStrategy: 'latest_wins' })).toMatchObject({ repaired: 1, conflicts: 0 });
    await expectMentions(['engine', 'grace']);
    expect(await resolved()).toMatchObject([{ strategy: 'latest_wins', outcome: 'vector' }]);
  });

  describe('manual', () => {
    test('changes nothing, and lists the conflict once until somebody decides', async () => {
      await edit();
      for (const _ of [1, 2]) {
        const result = await fullSync({ conflictStrategy: 'manual' });
        expect(result).toMatchObject({ repaired: 0, failed: 0, conflicts: 1 });
      }
      expect(names(await memory.getById(stored.id))).toEqual(['engine', 'grace']);
      expect(await graph.mentions(stored.id)).toEqual(['grace', 'loom']);
      const [entry, ...more] = await openConflicts();
      expect(more).toEqual([]);
      expect(entry).toMatchObject({ memoryId: stored.id, strategy: 'manual', outcome: 'open' });
      expect(entry).not.toHaveProperty('resolvedAt');
      expect([names(entry.vector), names(entry.graph)]).toEqual([
        ['engine', 'grace'],
        ['grace', 'loom'],
      ]);
      expect(await sync.getStats()).toMatchObject({ conflicts: 1 });

      await fullSync({ conflictStrategy: 'graph_wins' });
      await expectMentions(['grace', 'loom']);
      expect(await openConflicts()).toEqual([]);
      expect((await resolved()).map(({ memoryId }) => memoryId)).toContain(stored.id);
    });

    test('is over when the memory is written anew', async () => {
      await edit();
      await fullSync({ conflictStrategy: 'manual' });
      await memory.update(stored.id, { entities: [entity('Babbage')] });
      await fullSync();
      await expectMentions(['babbage']);
      expect(await openConflicts()).toEqual([]);
    });
  });

  describe('a function', () => {
    test('decides each conflict', async () => {
      await edit();
      const asked = [];
      const conflictStrategy = async (conflict, { signal }) => {
        asked.push({ ...conflict, aborted: signal.aborted });
        return 'merge';
      };
      expect(await fullSync({ conflictStrategy })).toMatchObject({ failed: 0, conflicts: 0 });
      await expectMentions(['engine', 'grace', 'loom']);
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatchObject({
        memoryId: stored.id,
        userId: 'ada',
        fields: expect.arrayContaining(['mentions']),
        detectedAt: expect.any(Date),
        aborted: false,
      });
      expect([names(asked[0].vector), names(asked[0].graph)]).toEqual([
        ['engine', 'grace'],
        ['grace', 'loom'],
      ]);
      expect(await resolved()).toMatchObject([{ outcome: 'merged' }]);
    });

    test('is not asked about lag', async () => {
      await graph.lose(stored.id);
      const conflictStrategy = vi.fn(() => 'manual');
      expect(await fullSync({ conflictStrategy })).toMatchObject({ repaired: 1, conflicts: 0 });
      expect(conflictStrategy).not.toHaveBeenCalled();
    });

    test.each([
      [
        'throws',
        () => {
          throw new Error('no idea');
        },
      ],
      ['answers something else', () => 'newest_wins'],
    ])('that %s leaves the conflict as it is, and counts as failed', async (_name, conflictStrategy) => {
      await edit();
      expect(await fullSync({ conflictStrategy })).toMatchObject({ repaired: 0, failed: 1 });
      expect(names(await memory.getById(stored.id))).toEqual(['engine', 'grace']);
      expect(await graph.mentions(stored.id)).toEqual(['grace', 'loom']);
      await fullSync();
      await expectMentions(['engine', 'grace']);
    });

    test('of the configuration decides for calls that bring none, and in the background', async () => {
      const conflictStrategy = vi.fn(() => 'graph_wins');
      const persistence = { conflictStrategy, syncIntervalMs: 1000, graphWaitMs: 20_000 };
      const layer = database.layer({ extractor: 'none', persistence, pool: { max: 4 } });
      await edit();
      await layer.sync.fullSync({ deep: true });
      await expectMentions(['grace', 'loom']);
      await graph.unmention(stored.id, 'grace');
      await graph.damage(stored.id); // auto-sync compares digests
      await layer.sync.startAutoSync();
      await vi.waitFor(() => expect(conflictStrategy).toHaveBeenCalledTimes(2), PATIENT);
      await layer.sync.stopAutoSync();
      await layer.close();
      await expectMentions(['loom']);
    });
  });

  test('repairInconsistencies decides those that it is given', async () => {
    await edit();
    await graph.unmention(other.id, 'loom');
    const found = await sync.checkConsistency({ deep: true });
    const given = JSON.parse(JSON.stringify(found.filter(({ memoryId }) => memoryId === stored.id)));
    const result = await sync.repairInconsistencies(given, { conflictStrategy: 'graph_wins' });
    expect(result).toMatchObject({ failed: 0, conflicts: 0 });
    expect(names(await memory.getById(stored.id))).toEqual(['grace', 'loom']);
    expect(await graph.mentions(other.id), 'not in the list').toEqual([]);
    expect(await fullSync()).toMatchObject({ failed: 0 });
    await expectMentions(['grace', 'loom']);
  });

  test('no strategy brings back what was deleted', async () => {
    await edit();
    await memory.delete(stored.id);
    for (const conflictStrategy of ['graph_wins', 'merge', 'latest_wins']) {
      await fullSync({ conflictStrategy });
      expect(await memory.getById(stored.id)).toBeNull();
      expect(await graph.memories()).toEqual([other.id]);
    }
  });

  test('an unknown strategy is refused before anything is done', async () => {
    await edit();
    for (const conflictStrategy of ['newest_wins', 'callback', 7]) {
      const error = await rejection(fullSync({ conflictStrategy }));
      expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    }
    expect(await graph.mentions(stored.id)).toEqual(['grace', 'loom']);
  });

  describe('the conflict log', () => {
    /** Three resolved conflicts of Ada's, an open one, and one of Alan's. */
    beforeEach(async () => {
      const alan = await memory.store({ userId: 'alan', content: 'c' }, { entities: [entity('Grace')] });
      for (const name of ['engine', 'grace', 'engine']) {
        await graph.unmention(stored.id, name);
        await fullSync();
      }
      await graph.unmention(alan.id, 'grace');
      await fullSync();
      await graph.unmention(other.id, 'loom');
      await fullSync({ conflictStrategy: 'manual' });
    });

    test('is listed page by page, each entry once', async () => {
      const pages = [];
      let cursor;
      do {
        const page = await sync.getConflicts({ userId: 'ada', limit: 2, cursor });
        pages.push(page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      expect(pages.map((page) => page.length)).toEqual([2, 2]);
      expect(new Set(pages.flat()).size).toBe(4);
      expect((await sync.getConflicts({ state: 'resolved', userId: 'ada' })).items).toHaveLength(3);
      expect((await sync.getConflicts({ userId: 'alan' })).items).toHaveLength(1);
      expect(await openConflicts()).toMatchObject([{ memoryId: other.id }]);
    });

    test('is purged of what is resolved, open conflicts stay', async () => {
      const longAgo = new Date(Date.now() - 3600_000);
      expect(await sync.purgeConflicts({ olderThan: longAgo })).toEqual({ purged: 0 });
      expect(await sync.purgeConflicts({ userId: 'alan' })).toEqual({ purged: 1 });
      expect(await sync.purgeConflicts()).toEqual({ purged: 3 });
      expect(await sync.purgeConflicts()).toEqual({ purged: 0 });
      expect((await sync.getConflicts()).items).toMatchObject([{ memoryId: other.id, outcome: 'open' }]);
    });

    test('of a user goes with deleteAll for good', async () => {
      await memory.deleteAll('ada', { hard: true });
      expect((await sync.getConflicts()).items.map(({ userId }) => userId)).toEqual(['alan']);
    });

    test.each([
      ['getConflicts', { state: 'pending' }, 'state'],
      ['getConflicts', { limit: 0 }, 'limit'],
      ['getConflicts', { cursor: 'x' }, 'cursor'],
      ['purgeConflicts', { olderThan: 'yesterday' }, 'olderThan'],
      ['purgeConflicts', { state: 'open' }, 'state'],
    ])('%s refuses %j', async (method, options, field) => {
      expect(await rejection(sync[method](options))).toMatchObject({
        reason: 'INVALID_ARGUMENT',
        details: { field },
      });
    });
  });

  describe('verify', () => {
    const verdict = (more) => ({ pending: 0, differences: 0, duration: expect.any(Number), ...more });

    test('says consistent, for the depth it looked at', async () => {
      expect(await sync.verify()).toEqual(verdict({ state: 'consistent', depth: 'digest', checked: 2 }));
      expect(await sync.verify({ deep: true })).toEqual(
        verdict({ state: 'consistent', depth: 'deep', checked: 2 }),
      );
      expect(await sync.verify({ userId: 'alan' })).toMatchObject({ state: 'consistent', checked: 0 });
    });

    test('says divergent where something differs', async () => {
      await edit();
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'divergent', differences: 1 });
      expect(await sync.verify({ deep: true, userId: 'alan' })).toMatchObject({ state: 'consistent' });
      await graph.lose(stored.id);
      expect(await sync.verify()).toMatchObject({ state: 'divergent', differences: 1 });
      await fullSync();
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
    });

    test('says inconclusive while something is owed', async () => {
      await memory.store({ userId: 'ada', content: 'later' }, { defer: true, entities: [] });
      expect(await sync.verify()).toMatchObject({ state: 'inconclusive', pending: 1, differences: 0 });
      expect(await sync.verify({ userId: 'alan' })).toMatchObject({ state: 'consistent' });
      await sync.drain();
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent', checked: 3 });
    });

    test('says divergent where something was put aside', async () => {
      await memory.store({ userId: 'ada', content: 'refused' }, { defer: true, entities: [] });
      await database.query(
        "update izzie_memory.memory_sync set state = 'dead' where target not in ('embedding', 'extraction')",
      );
      expect((await sync.verify()).state).toBe('divergent');
    });
  });

  describe('long calls', () => {
    let told;
    const onProgress = (progress) => told.push(progress);

    beforeEach(async () => {
      told = [];
      const entries = Array.from({ length: 60 }, (_, index) => ({
        userId: 'ada',
        content: `memory ${index}`,
        entities: [entity('Grace')],
      }));
      expect((await memory.storeMany(entries)).failed).toEqual([]);
    });

    afterEach(async () => {
      await fullSync();
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent', checked: 62 });
    });

    const CALLS = [
      ['checkConsistency', (options) => sync.checkConsistency(options)],
      ['a deep checkConsistency', (options) => sync.checkConsistency({ deep: true, ...options })],
      ['verify', (options) => sync.verify(options)],
      ['fullSync', (options) => sync.fullSync(options)],
      ['rebuildGraph', (options) => sync.rebuildGraph({ clearExisting: true, ...options })],
    ];

    test.each(CALLS)('%s tells how far it is, up to the end', async (_name, call) => {
      await call({ onProgress });
      expect(told.length).toBeGreaterThan(0);
      let done = 0;
      for (const progress of told) {
        expect(progress.done).toBeGreaterThanOrEqual(done);
        expect(progress.total).toBeGreaterThanOrEqual(progress.done);
        ({ done } = progress);
      }
      expect(told.at(-1).done).toBe(told.at(-1).total);
      expect(done).toBeGreaterThanOrEqual(60);
    });

    test.each(CALLS)(
      '%s that is aborted rejects with the reason, and can be called again',
      async (_name, call) => {
        const early = AbortSignal.abort(new Error('never mind'));
        expect(await rejection(call({ signal: early }))).toBe(early.reason);
        const controller = new AbortController();
        const reason = new Error('enough');
        setTimeout(() => controller.abort(reason), 5);
        const outcome = await call({ signal: controller.signal }).catch((error) => error);
        if (outcome instanceof Error) expect(outcome).toBe(reason);
        await call({});
      },
    );

    test('rebuildGraph goes on where it was stopped', async () => {
      const first = await sync.rebuildGraph({ clearExisting: true, limit: 10 });
      expect(first).toMatchObject({ repaired: 10, pending: 52 });
      const second = await sync.rebuildGraph({ clearExisting: true });
      expect(second).toMatchObject({ pending: 0, failed: 0 });
      expect(await graph.memories()).toHaveLength(62);
    });
  });
});

describe("Neo4j's own properties", () => {
  const database = useGraph('neo4j');
  let memory;
  let sync;
  let stored;

  beforeAll(async () => {
    ({ memory, sync } = database.layer({ extractor: 'none' }));
    await vi.waitFor(() => sync.checkConsistency({ deep: true }), PATIENT);
  });

  beforeEach(async () => {
    await sync.getStats();
    await database.empty();
    await database.query('truncate izzie_memory.conflicts');
    stored = await memory.store({ userId: 'ada', content: 'ours' }, { importance: 3 });
  });

  const edit = (set) =>
    database.neo4j.query(`MATCH (m:IzzieMemory {key: $id}) SET ${set}`, { id: stored.id });

  test('of a memory are compared one by one', async () => {
    await edit("m.content = 'theirs', m.importance = 9");
    expect(await sync.checkConsistency({ deep: true })).toMatchObject([
      { memoryId: stored.id, conflict: true, fields: ['content', 'importance'] },
    ]);
  });

  test('are taken over by graph_wins', async () => {
    await edit("m.content = 'theirs', m.importance = 9, m.summary = 's'");
    expect(await sync.fullSync({ deep: true, conflictStrategy: 'graph_wins' })).toMatchObject({ failed: 0 });
    expect(await memory.getById(stored.id)).toMatchObject({ content: 'theirs', importance: 9, summary: 's' });
    expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
    const [entry] = (await sync.getConflicts()).items;
    expect(entry.vector).toMatchObject({ content: 'ours', importance: 3 });
  });

  test.each([
    ['later', "datetime() + duration('PT1H')", 'theirs'],
    ['earlier', "datetime() - duration('PT1H')", 'ours'],
    ['later, in milliseconds', 'timestamp() + 3600000', 'theirs'],
    ['never', 'null', 'ours'],
    ['at no time', "'soon'", 'ours'],
  ])('latest_wins: edited %s', async (_name, updatedAt, winner) => {
    await edit(`m.content = 'theirs', m.updatedAt = ${updatedAt}`);
    await sync.fullSync({ deep: true, conflictStrategy: 'latest_wins' });
    expect(await memory.getById(stored.id)).toMatchObject({ content: winner });
    expect(await sync.checkConsistency({ deep: true })).toEqual([]);
    const [{ content }] = await database.neo4j.query(
      'MATCH (m:IzzieMemory {key: $id}) RETURN m.content AS content',
      { id: stored.id },
    );
    expect(content).toBe(winner);
  });

  test('graph_wins makes a memory of a node whose user is known, and only of such', async () => {
    const known = await database.graph.invent('ada');
    expect(await sync.fullSync({ conflictStrategy: 'graph_wins' })).toMatchObject({ failed: 0 });
    expect(await memory.getById(known)).toMatchObject({ userId: 'ada', content: 'invented' });
    expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
  });

  test('a deleted memory that somebody revived in the graph stays deleted', async () => {
    await memory.delete(stored.id);
    await edit("m.deleted = false, m.content = 'back'");
    for (const conflictStrategy of ['graph_wins', 'merge', 'latest_wins']) {
      await sync.fullSync({ deep: true, conflictStrategy });
      expect(await memory.getById(stored.id)).toBeNull();
    }
    expect(await database.graph.memories()).toEqual([]);
    expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
  });
});
