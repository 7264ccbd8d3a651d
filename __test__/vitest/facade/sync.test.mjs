// What each method of sync asks of the core, and what it makes of the answer.
import { createRequire } from 'node:module';
import { beforeEach, describe, expect, test } from 'vitest';

const { MEMORY, WRITE, loadFacade } = createRequire(import.meta.url)('./fake-native.cjs');
const ID = MEMORY.id;
const ISO = WRITE.timestamp;
const DATE = new Date(ISO);
let answer;
let facade;
let sync;

/** The request that the last call made. */
const asked = () => facade.layers.at(-1).requests.at(-1);

beforeEach(() => {
  facade = loadFacade({ answer: () => answer });
  ({ sync } = facade.createMemoryLayer({ databaseUrl: 'postgres://db' }));
});

describe('check and repair', () => {
  const found = {
    memoryId: ID,
    issue: 'metadata_mismatch',
    details: 'other content',
    detectedAt: ISO,
    conflict: true,
    fields: ['content'],
  };
  const revived = { ...found, detectedAt: DATE };
  const counts = { totalChecked: 3, repaired: 1, failed: 0, conflicts: 1, duration: 1.5, pending: 2 };

  test('checkConsistency', async () => {
    answer = [found];
    const options = { userId: 'ada', limit: 5, deep: true };
    expect(await sync.checkConsistency(options)).toEqual([revived]);
    expect(asked()).toMatchObject({ op: 'checkConsistency', args: options });
    await sync.checkConsistency();
    expect(asked().args).toEqual({});
  });

  test('verify', async () => {
    answer = { state: 'divergent', depth: 'deep', checked: 9, pending: 0, differences: 2, duration: 1.5 };
    expect(await sync.verify({ userId: 'ada', deep: true })).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'verify', args: { userId: 'ada', deep: true } });
  });

  test('repairInconsistencies, of a list that went through JSON too', async () => {
    answer = { ...counts, inconsistencies: [found] };
    for (const list of [[revived], JSON.parse(JSON.stringify([revived]))]) {
      const result = await sync.repairInconsistencies(list, { conflictStrategy: 'merge' });
      expect(result).toEqual({ ...counts, inconsistencies: [revived] });
      const args = { inconsistencies: [found], conflictStrategy: 'merge' };
      expect(asked()).toMatchObject({ op: 'repairInconsistencies', args });
    }
  });

  test.each([
    ['fullSync', { userId: 'ada', limit: 5, dryRun: true, deep: true, conflictStrategy: 'manual' }],
    ['rebuildGraph', { userId: 'ada', limit: 5, clearExisting: true }],
    ['deltaSync', { userId: 'ada', maxMs: 100 }],
    ['switchGraph', {}],
  ])('%s', async (method, options) => {
    answer = { ...counts, inconsistencies: [found] };
    expect(await sync[method](options)).toEqual({ ...counts, inconsistencies: [revived] });
    expect(asked()).toMatchObject({ op: method, args: options });
  });

  test.each([
    ['fullSync', [{ conflictStrategy: 'callback' }], 'options.conflictStrategy'],
    ['fullSync', [{ onProgress: 'log' }], 'options.onProgress'],
    ['checkConsistency', [{ conflictStrategy: () => 'merge' }], 'conflictStrategy'],
    ['repairInconsistencies', [[], { inconsistencies: [] }], 'options.inconsistencies'],
    ['getQueue', [{ onProgress: () => {} }], 'onProgress'],
    ['purgeDead', [[undefined]], 'ids[0]'],
    ['purgeConflicts', [{ olderThan: new Date('x') }], 'olderThan'],
  ])('%s refuses %j', async (method, args, field) => {
    await expect(sync[method](...args)).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { field },
    });
  });
});

describe('the queue', () => {
  const owed = {
    memoryId: ID,
    userId: 'ada',
    target: 'graph',
    state: 'pending',
    revision: 17,
    attempts: 1,
    nextAttemptAt: ISO,
    leasedUntil: null,
    lastError: null,
    owedAt: ISO,
  };

  test('getQueue', async () => {
    const leased = { ...owed, leasedUntil: ISO, lastError: 'refused' };
    answer = { items: [owed, leased], nextCursor: 'c2' };
    const options = { state: 'pending', target: 'graph', userId: 'ada', limit: 2, cursor: 'c1' };
    const page = await sync.getQueue(options);
    expect(asked()).toMatchObject({ op: 'getQueue', args: options });
    const { leasedUntil, lastError, ...always } = owed;
    const item = { ...always, nextAttemptAt: DATE, owedAt: DATE };
    expect(page).toEqual({
      items: [item, { ...item, leasedUntil: DATE, lastError: 'refused' }],
      nextCursor: 'c2',
    });
    expect(page.items[0]).not.toHaveProperty('leasedUntil');
    answer = { items: [], nextCursor: null };
    expect(await sync.getQueue()).toEqual(answer);
  });

  test('drain', async () => {
    answer = { paid: 5, embedded: 1, extracted: 1, refused: 1, pending: 2, dead: 1, duration: 3.5 };
    expect(await sync.drain({ maxMs: 100, maxItems: 5 })).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'drain', args: { maxMs: 100, maxItems: 5 } });
  });

  test('backfill and reembed', async () => {
    const found = { embed: 2, extract: 3 };
    answer = { embedded: 2, extracted: 3, failed: 0, pending: 0, duration: 3.5, found };
    const options = { embed: true, extract: false, userId: 'ada', dryRun: true };
    expect(await sync.backfill(options)).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'backfill', args: options });
    answer = { model: 'm', dimensions: 3, embedded: 2, failed: 0, resumed: true, duration: 3.5 };
    expect(await sync.reembed()).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'reembed', args: {} });
  });

  test('retryNow and purgeDead', async () => {
    answer = { revived: 2 };
    expect(await sync.retryNow([ID])).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'retryNow', args: { ids: [ID] } });
    await sync.retryNow();
    expect(asked().args).toEqual({});
    answer = { purged: 1 };
    expect(await sync.purgeDead([ID])).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'purgeDead', args: { ids: [ID] } });
  });
});

describe('the conflict log', () => {
  test('getConflicts', async () => {
    const open = {
      id: '7',
      memoryId: ID,
      userId: 'ada',
      strategy: 'manual',
      outcome: 'open',
      fields: ['content'],
      vector: { content: 'mine' },
      graph: null,
      detectedAt: ISO,
      resolvedAt: null,
    };
    answer = { items: [open, { ...open, outcome: 'vector', resolvedAt: ISO }], nextCursor: null };
    const options = { state: 'open', userId: 'ada', limit: 2, cursor: 'c1' };
    const { items, nextCursor } = await sync.getConflicts(options);
    expect(asked()).toMatchObject({ op: 'getConflicts', args: options });
    expect(nextCursor).toBeNull();
    expect(items[0]).toMatchObject({ id: '7', vector: { content: 'mine' }, graph: null, detectedAt: DATE });
    expect(items[0]).not.toHaveProperty('resolvedAt');
    expect(items[1]).toMatchObject({ outcome: 'vector', resolvedAt: DATE });
  });

  test('purgeConflicts', async () => {
    answer = { purged: 3 };
    expect(await sync.purgeConflicts({ userId: 'ada', olderThan: DATE })).toEqual(answer);
    expect(asked()).toMatchObject({ op: 'purgeConflicts', args: { userId: 'ada', olderThan: ISO } });
    await sync.purgeConflicts();
    expect(asked().args).toEqual({});
  });
});

describe('an empty user', () => {
  const RESULT = { inconsistencies: [], items: [], nextCursor: null };

  test.each([
    ['checkConsistency', []],
    ['verify', RESULT],
    ['fullSync', RESULT],
    ['deltaSync', RESULT],
    ['rebuildGraph', RESULT],
    ['getQueue', RESULT],
    ['getConflicts', RESULT],
  ])('is none that was given for %s', async (method, result) => {
    answer = result;
    await sync[method]({ userId: '', limit: 5 });
    expect(asked()).toMatchObject({ op: method, args: { limit: 5 } });
    expect(asked().args).not.toHaveProperty('userId');
  });

  test.each([['backfill'], ['purgeConflicts']])('is left for the core to refuse by %s', async (method) => {
    answer = {};
    await sync[method]({ userId: '' });
    expect(asked()).toMatchObject({ op: method, args: { userId: '' } });
  });
});

test('getStats', async () => {
  const counts = { vectorStoreCount: 4, graphStoreCount: 2, syncPercentage: 50, pending: 2, dead: 0 };
  const stats = { ...counts, conflicts: 1 };
  answer = { ...stats, lastSync: ISO };
  expect(await sync.getStats()).toEqual({ ...stats, lastSync: DATE });
  answer = { ...stats, lastSync: null };
  expect(await sync.getStats()).toEqual(stats);
  const unavailable = { graphStore: { code: 'TIMEOUT', message: 'the graph did not answer' } };
  answer = { ...stats, graphStoreCount: null, syncPercentage: null, lastSync: null, unavailable };
  expect(await sync.getStats()).toEqual({
    ...stats,
    graphStoreCount: null,
    syncPercentage: null,
    unavailable,
  });
});
