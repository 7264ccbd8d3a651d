// The functions of a call: told of its progress, asked about its conflicts. The addon names the call by its number.
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const { loadFacade } = createRequire(import.meta.url)('./fake-native.cjs');
const URL = 'postgres://db';
const BACKGROUND = 0;
const RESULT = { inconsistencies: [] };
const CONFLICT = {
  memoryId: 'm',
  userId: 'ada',
  fields: ['content'],
  vector: { content: 'mine' },
  graph: { content: 'theirs' },
  detectedAt: '2026-01-02T03:04:05.678Z',
};

/** What the addon does during a call. */
let work;
let facade;
let layer;

/** A layer whose configuration decides conflicts so. */
function open(conflictStrategy) {
  facade = loadFacade({
    answer: async (_request, _embedding, callId, native) => {
      await work(callId, native.callbacks);
      return RESULT;
    },
  });
  layer = facade.createMemoryLayer({ databaseUrl: URL, persistence: { conflictStrategy } });
}

const told = (callbacks, callId, progress) => callbacks.progress(callId, JSON.stringify(progress));
const asked = (callbacks, callId) => callbacks.resolve(callId, JSON.stringify(CONFLICT));

beforeEach(() => open(undefined));

describe('onProgress', () => {
  let warnings;
  const onWarning = (warning) => warnings.push(warning);
  const allWarnings = async () => {
    await new Promise(setImmediate);
    return warnings;
  };

  beforeEach(() => {
    warnings = [];
    process.on('warning', onWarning);
  });

  afterEach(() => process.removeListener('warning', onWarning));

  test.each([
    ['checkConsistency', (options) => layer.sync.checkConsistency(options)],
    ['verify', (options) => layer.sync.verify(options)],
    ['repairInconsistencies', (options) => layer.sync.repairInconsistencies([], options)],
    ['fullSync', (options) => layer.sync.fullSync(options)],
    ['rebuildGraph', (options) => layer.sync.rebuildGraph(options)],
    ['deltaSync', (options) => layer.sync.deltaSync(options)],
    ['switchGraph', (options) => layer.sync.switchGraph(options)],
    ['backfill', (options) => layer.sync.backfill(options)],
    ['reembed', (options) => layer.sync.reembed(options)],
    ['deleteAll', (options) => layer.memory.deleteAll('ada', { hard: true, ...options })],
    ['purgeDeleted', (options) => layer.memory.purgeDeleted({ olderThan: new Date(), ...options })],
  ])('of %s is told how far it is, and crosses to nobody', async (_name, call) => {
    open(undefined);
    facade.fake.answer = async ({ op }, _embedding, callId, native) => {
      told(native.callbacks, callId, { done: 0, total: 5, etaMs: null });
      told(native.callbacks, callId, { done: 2, total: 5, etaMs: 1.5 });
      return op === 'checkConsistency' ? [] : RESULT;
    };
    const onProgress = vi.fn();
    await call({ onProgress });
    expect(onProgress.mock.calls).toEqual([[{ done: 0, total: 5 }], [{ done: 2, total: 5, etaMs: 1.5 }]]);
    expect(facade.layers[0].requests[0].args).not.toHaveProperty('onProgress');
  });

  test('belongs to its own call, and hears nothing when that has ended', async () => {
    let callbacks;
    work = async (callId, given) => {
      callbacks = given;
      told(given, callId, { done: callId, total: 2 });
    };
    const [first, second] = [vi.fn(), vi.fn()];
    await Promise.all([
      layer.sync.fullSync({ onProgress: first }),
      layer.sync.fullSync({ onProgress: second }),
      layer.sync.fullSync(),
    ]);
    expect(first.mock.calls).toEqual([[{ done: 1, total: 2 }]]);
    expect(second.mock.calls).toEqual([[{ done: 2, total: 2 }]]);
    told(callbacks, 1, { done: 2, total: 2 });
    expect(first).toHaveBeenCalledOnce();
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no terminal');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no terminal'))],
  ])('that %s is warned of once and disturbs nothing', async (_name, onProgress) => {
    work = async (callId, callbacks) => {
      told(callbacks, callId, { done: 1, total: 2 });
      told(callbacks, callId, { done: 2, total: 2 });
    };
    expect(await layer.sync.fullSync({ onProgress })).toEqual(RESULT);
    expect(await allWarnings()).toMatchObject([
      {
        name: 'IzzieMemoryWarning',
        code: 'ON_PROGRESS_FAILED',
        detail: expect.stringContaining('no terminal'),
      },
    ]);
  });
});

describe('conflictStrategy', () => {
  let answers;

  beforeEach(() => {
    answers = [];
    work = async (callId, callbacks) => {
      answers.push(await asked(callbacks, callId).catch((error) => error));
    };
  });

  test('of the call decides, before that of the layer', async () => {
    const ofLayer = vi.fn(() => 'manual');
    open(ofLayer);
    const ofCall = vi.fn(async () => 'merge');
    await layer.sync.fullSync({ conflictStrategy: ofCall });
    await layer.sync.repairInconsistencies([], { conflictStrategy: ofCall });
    expect(answers).toEqual(['merge', 'merge']);
    expect(ofLayer).not.toHaveBeenCalled();
    for (const { args } of facade.layers[0].requests) expect(args.conflictStrategy).toBe('callback');
    expect(ofCall).toHaveBeenLastCalledWith(
      { ...CONFLICT, detectedAt: new Date(CONFLICT.detectedAt) },
      { signal: expect.any(AbortSignal) },
    );
  });

  test('of the layer decides where the call brings none, and in the background', async () => {
    open(() => 'graph_wins');
    await layer.sync.fullSync();
    const { config, callbacks } = facade.layers[0];
    expect(answers).toEqual(['graph_wins']);
    expect(config.persistence).toEqual({ conflictStrategy: 'callback' });
    expect(await asked(callbacks, BACKGROUND)).toBe('graph_wins');
  });

  test('is replaced with the other functions of equal settings', async () => {
    const { configure, syncService, layers } = facade;
    await configure({ databaseUrl: URL, persistence: { conflictStrategy: () => 'merge' } });
    await syncService.fullSync();
    await configure({ databaseUrl: URL, persistence: { conflictStrategy: () => 'manual' } });
    expect(await asked(layers[0].callbacks, BACKGROUND)).toBe('manual');
    await expect(configure({ databaseUrl: URL, persistence: {} })).rejects.toMatchObject({
      reason: 'ALREADY_CONFIGURED',
    });
  });

  test.each([
    ['nothing', () => undefined],
    ['an object', () => ({ strategy: 'merge' })],
    ['the name that stands for itself', () => 'callback'],
  ])('that returns %s is refused', async (_name, conflictStrategy) => {
    await layer.sync.fullSync({ conflictStrategy });
    expect(answers[0]).toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { field: 'conflictStrategy' },
    });
  });

  test('that throws rejects, and does not throw into the addon', async () => {
    const failure = new Error('no idea');
    const conflictStrategy = () => {
      throw failure;
    };
    await layer.sync.fullSync({ conflictStrategy });
    expect(answers).toEqual([failure]);
  });

  test('of a call that has ended decides nothing any more, nor does the layer in its place', async () => {
    open(() => 'manual');
    await layer.sync.fullSync({ conflictStrategy: () => 'merge' });
    await expect(asked(facade.layers[0].callbacks, 1)).rejects.toMatchObject({ reason: 'ABORTED' });
  });

  test('learns from its signal that the layer closes', async () => {
    let seen;
    const conflictStrategy = (_conflict, { signal }) => {
      seen = signal;
      return 'manual';
    };
    await layer.sync.fullSync({ conflictStrategy });
    expect(seen.aborted).toBe(false);
    await layer.close();
    expect(seen.reason).toMatchObject({ reason: 'CLOSED' });
  });
});
