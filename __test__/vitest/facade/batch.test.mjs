// Writes of many memories: cut into chunks, reported item by item.
import { createRequire } from 'node:module';
import { beforeEach, describe, expect, test, vi } from 'vitest';

const { MEMORY, WRITE, envelope, loadFacade, rejection } = createRequire(import.meta.url)(
  './fake-native.cjs',
);
const entries = (count) =>
  Array.from({ length: count }, (_, index) => ({ userId: 'ada', content: `memory ${index}` }));
const ids = (count) => Array.from({ length: count }, (_, index) => `id-${index}`);

let answer;
let facade;
let layer;

const requests = () => facade.layers.flatMap((opened) => opened.requests);

/** The core stores whatever it is given. */
const storesAll = ({ args }) => ({
  results: args.items.map(({ memory }) => ({
    memory: { ...MEMORY, content: memory.content },
    write: WRITE,
  })),
});

beforeEach(() => {
  facade = loadFacade({ answer: (...args) => answer(...args) });
  layer = facade.createMemoryLayer({ databaseUrl: 'postgres://db', limits: { batch: 250 } });
});

describe('storeMany', () => {
  test('cuts chunks and returns what was stored in its order', async () => {
    answer = storesAll;
    const { stored, failed } = await layer.memory.storeMany(entries(205));
    expect(requests().map(({ op, args }) => [op, args.items.length])).toEqual([
      ['storeMany', 100],
      ['storeMany', 100],
      ['storeMany', 5],
    ]);
    expect(stored.map(({ content }) => content)).toEqual(entries(205).map(({ content }) => content));
    expect(stored[0].metadata).toMatchObject({ created: true, graphWriteSuccess: true });
    expect(failed).toEqual([]);
  });

  test('cuts no larger chunk than the core takes', async () => {
    answer = storesAll;
    const small = facade.createMemoryLayer({ databaseUrl: 'postgres://db', limits: { batch: 3 } });
    await small.memory.storeMany(entries(4));
    expect(requests().map(({ args }) => args.items.length)).toEqual([3, 1]);
  });

  test('sends each memory with its options, the embeddings one behind the other', async () => {
    answer = storesAll;
    const [one, two, three] = entries(3);
    await layer.memory.storeMany([
      { ...one, id: MEMORY.id, createdAt: new Date(0), metadata: { a: 1, created: true }, embedding: [1, 2] },
      { ...two, idempotencyKey: 'k' },
      { ...three, embedding: new Float32Array([3]) },
    ]);
    const [{ args, embedding }] = requests();
    expect(args.items).toEqual([
      {
        memory: { ...one, id: MEMORY.id, createdAt: '1970-01-01T00:00:00.000Z', metadata: { a: 1 } },
        embeddingLength: 2,
      },
      { memory: { ...two, idempotencyKey: 'k' }, embeddingLength: 0 },
      { memory: three, embeddingLength: 1 },
    ]);
    expect(embedding).toEqual(new Float32Array([1, 2, 3]));
  });

  test('says of each memory what was wrong with it, and stores the others', async () => {
    answer = ({ args }) => ({
      results: args.items.map(({ memory }) =>
        memory.content === 'memory 4'
          ? { error: envelope('PersistenceError', 'ID_CONFLICT') }
          : { memory: { ...MEMORY, content: memory.content }, write: WRITE },
      ),
    });
    const given = [...entries(6), { ...entries(1)[0], embedding: [] }];
    given[1] = { ...given[1], metadata: { big: 1n } };
    given[2] = null;
    given[3] = { ...given[3], signal: new AbortController().signal };
    const { stored, failed } = await layer.memory.storeMany(given, { chunkSize: 5 });
    expect(stored.map(({ content }) => content)).toEqual(['memory 0', 'memory 5']);
    expect(failed.map(({ index, error }) => [index, error.reason, error.details.field])).toEqual([
      [1, 'INVALID_ARGUMENT', 'metadata.big'],
      [2, 'INVALID_ARGUMENT', 'entry'],
      [3, 'INVALID_ARGUMENT', 'entry.signal'],
      [4, 'ID_CONFLICT', undefined],
      [6, 'INVALID_ARGUMENT', 'embedding'],
    ]);
    expect(failed[3].error).toBeInstanceOf(facade.PersistenceError);
  });

  test('asks nothing of the core where there is nothing to store', async () => {
    expect(await layer.memory.storeMany([])).toEqual({ stored: [], failed: [] });
    expect((await layer.memory.storeMany([null])).failed).toHaveLength(1);
    expect(requests()).toEqual([]);
  });

  test('ends when a store fails: the rest is not tried against it, and listed', async () => {
    answer = (request) => {
      if (requests().length === 2) throw rejection('VectorStoreError', 'UNAVAILABLE');
      return storesAll(request);
    };
    const { stored, failed } = await layer.memory.storeMany(entries(7), { chunkSize: 2 });
    expect(stored).toHaveLength(2);
    expect(requests()).toHaveLength(2);
    expect(failed.map(({ index }) => index)).toEqual([2, 3, 4, 5, 6]);
    for (const { error } of failed) {
      expect(error).toBeInstanceOf(facade.VectorStoreError);
      expect(error.reason).toBe('UNAVAILABLE');
    }
  });

  test('tells how far it is after each chunk', async () => {
    answer = storesAll;
    const onProgress = vi.fn();
    await layer.memory.storeMany(entries(5), { chunkSize: 2, onProgress });
    const told = onProgress.mock.calls.map(([progress]) => progress);
    expect(told.map(({ done, total }) => [done, total])).toEqual([
      [2, 5],
      [4, 5],
      [5, 5],
    ]);
    expect(told[0].etaMs).toBeGreaterThan(0);
    expect(told[2].etaMs).toBe(0);
  });

  test('an abort between two chunks keeps the first, and rejects with the reason', async () => {
    answer = storesAll;
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    for (const service of [layer.memory, layer.persistence]) {
      const call = service.storeMany(entries(3), { chunkSize: 2, onProgress, signal: controller.signal });
      await expect(call).rejects.toBe(reason);
    }
    expect(requests()).toHaveLength(1);
  });

  test('an abort after the last chunk resolves', async () => {
    answer = storesAll;
    const controller = new AbortController();
    const onProgress = ({ done, total }) => done === total && controller.abort();
    const options = { chunkSize: 2, onProgress, signal: controller.signal };
    expect((await layer.memory.storeMany(entries(4), options)).stored).toHaveLength(4);
  });

  test.each([
    ['text', undefined, 'entries'],
    [[], { chunkSize: 0 }, 'options.chunkSize'],
    [[], { chunkSize: 251 }, 'options.chunkSize'],
    [[], { chunkSize: '10' }, 'options.chunkSize'],
    [[], { chunksize: 10 }, 'options.chunksize'],
    [[], { onProgress: {} }, 'options.onProgress'],
    [[], { signal: {} }, 'options.signal'],
  ])('refuses %j, %j', async (given, options, field) => {
    for (const service of [layer.memory, layer.persistence]) {
      await expect(service.storeMany(given, options)).rejects.toMatchObject({
        reason: 'INVALID_ARGUMENT',
        details: { field },
      });
    }
  });

  test('of persistence gives one result for each entry', async () => {
    const graphError = envelope('GraphStoreError', 'UNAVAILABLE');
    answer = () => ({
      results: [
        { memory: MEMORY, write: { ...WRITE, graphWriteSuccess: false, graphError } },
        { error: envelope('PersistenceError', 'ID_CONFLICT') },
      ],
    });
    const service = new facade.PersistenceService({ graphWaitMs: 7 });
    await facade.configure({ databaseUrl: 'postgres://db' });
    const [first, second] = await service.storeMany(entries(2));
    expect(requests()[0].persistence).toEqual({ graphWaitMs: 7 });
    expect(first).toMatchObject({ success: true, data: { id: MEMORY.id }, error: { reason: 'UNAVAILABLE' } });
    expect(second).toMatchObject({
      success: false,
      error: { reason: 'ID_CONFLICT' },
      metadata: { vectorWriteSuccess: false, duration: expect.any(Number) },
    });
  });
});

describe('deleteMany', () => {
  const deletesAll = ({ args }) => ({ deleted: args.ids, failed: [] });

  test('takes any number of ids, each once, in chunks of the most that one call takes', async () => {
    answer = deletesAll;
    const options = { userId: 'ada', hard: true, cascadeGraph: false };
    const { deleted, failed } = await layer.memory.deleteMany([...ids(501), 'id-0'], options);
    expect(requests().map(({ op, args }) => [op, args.ids.length])).toEqual([
      ['deleteMany', 250],
      ['deleteMany', 250],
      ['deleteMany', 1],
    ]);
    expect(requests()[2].args).toEqual({ ids: ['id-500'], ...options });
    expect(deleted).toEqual(ids(501));
    expect(failed).toEqual([]);
    await facade.configure({ databaseUrl: 'postgres://db' });
    await facade.enhancedMemoryService.deleteMany(ids(1001));
    expect(requests().at(-2).args.ids).toHaveLength(1000);
  });

  test('lists what failed: by itself, or with its store', async () => {
    answer = () => {
      if (requests().length > 1) throw rejection('VectorStoreError', 'TIMEOUT');
      return { deleted: ['id-1'], failed: [{ id: 'id-0', error: envelope('VectorStoreError', 'TIMEOUT') }] };
    };
    const { deleted, failed } = await layer.memory.deleteMany(ids(252));
    expect(deleted).toEqual(['id-1']);
    expect(failed.map(({ id }) => id)).toEqual(['id-0', 'id-250', 'id-251']);
    for (const { error } of failed) expect(error).toBeInstanceOf(facade.VectorStoreError);
  });

  test('rejects when it is aborted, and for bad arguments', async () => {
    answer = () => {
      throw rejection('PersistenceError', 'INVALID_ARGUMENT', { field: 'ids[0]' });
    };
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(layer.memory.deleteMany(ids(1), { signal })).rejects.toBe(signal.reason);
    await expect(layer.memory.deleteMany(ids(1))).rejects.toMatchObject({ details: { field: 'ids[0]' } });
    await expect(layer.memory.deleteMany('id-1')).rejects.toMatchObject({ details: { field: 'ids' } });
    await expect(layer.memory.deleteMany([], { ids: [] })).rejects.toThrow(/^options\.ids: /);
  });
});
