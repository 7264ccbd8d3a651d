// One layer per process, however often it is configured, reloaded or used.
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const { MEMORY, WRITE, loadFacade, reloadFacade } = createRequire(import.meta.url)('./fake-native.cjs');
const URL = 'postgres://db/app';
const STATS = { total: 0, byConversation: {}, avgImportance: 0, totalAccesses: 0 };
const ANSWERS = { memoryStats: STATS, store: { memory: MEMORY, write: WRITE } };
const answer = ({ op }) => ANSWERS[op] ?? {};

beforeEach(() => {
  vi.unstubAllEnvs();
  for (const name of [
    'DATABASE_URL',
    'IZZIE_MEMORY_DIR',
    'NEO4J_URI',
    'OPENAI_API_KEY',
    'OPENROUTER_API_KEY',
  ]) {
    vi.stubEnv(name, undefined);
  }
});

afterEach(() => vi.unstubAllEnvs());

describe('the default layer', () => {
  test('starts with the first call, with the environment of that moment', async () => {
    const { enhancedMemoryService, layers } = loadFacade({ answer });
    expect(layers).toHaveLength(0);
    vi.stubEnv('DATABASE_URL', URL);
    await enhancedMemoryService.getStats('ada');
    expect(layers).toHaveLength(1);
    expect(layers[0].config.databaseUrl).toBe(URL);
  });

  test('is one for all services, objects and copies of the module', async () => {
    const first = loadFacade({ answer });
    await first.configure({ databaseUrl: URL });
    const copies = [first, ...Array.from({ length: 10 }, () => reloadFacade(first.fake))];
    for (const { EnhancedMemoryService, PersistenceService, syncService } of copies) {
      await new EnhancedMemoryService().getStats('ada');
      await new PersistenceService({ graphWaitMs: 1 }).store({ userId: 'ada', content: 'c' });
      await syncService.getStats();
    }
    expect(first.layers).toHaveLength(1);
    expect(first.layers[0].requests).toHaveLength(33);
  });

  test('starts once for calls at the same time', async () => {
    const { enhancedMemoryService, configure, layers } = loadFacade({ answer });
    await configure({ databaseUrl: URL });
    await Promise.all(Array.from({ length: 20 }, () => enhancedMemoryService.getStats('ada')));
    expect(layers).toHaveLength(1);
  });

  test('tries a failed start again with the next call', async () => {
    let broken = true;
    const construct = () => {
      if (broken) throw new Error('broken');
    };
    const { enhancedMemoryService, configure, layers } = loadFacade({ answer, construct });
    await configure({ databaseUrl: URL });
    await expect(enhancedMemoryService.getStats('ada')).rejects.toMatchObject({ reason: 'INTERNAL' });
    broken = false;
    await expect(enhancedMemoryService.getStats('ada')).resolves.toEqual(STATS);
    expect(layers).toHaveLength(1);
  });

  test('without a database rejects, and can be configured then', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const { enhancedMemoryService, configure, layers } = loadFacade({ answer });
    await expect(enhancedMemoryService.getStats('ada')).rejects.toMatchObject({ reason: 'NOT_CONFIGURED' });
    await configure({ databaseUrl: URL });
    await enhancedMemoryService.getStats('ada');
    expect(layers).toHaveLength(1);
  });
});

describe('configure', () => {
  test('rejects a wrong key and leaves the settings as they were', async () => {
    const { configure, enhancedMemoryService, layers } = loadFacade({ answer });
    await configure({ databaseUrl: URL });
    await expect(configure({ databaseUrl: 'postgres://other', unknown: 1 })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { field: 'unknown' },
    });
    await enhancedMemoryService.getStats('ada');
    expect(layers[0].config.databaseUrl).toBe(URL);
  });

  test('may change its mind before the first use', async () => {
    const { configure, enhancedMemoryService, layers } = loadFacade({ answer });
    await configure({ databaseUrl: 'postgres://first' });
    await configure({ databaseUrl: URL });
    await enhancedMemoryService.getStats('ada');
    expect(layers.map((layer) => layer.config.databaseUrl)).toEqual([URL]);
  });

  test('accepts equal settings afterwards and refuses others', async () => {
    vi.stubEnv('DATABASE_URL', URL);
    const { configure, enhancedMemoryService, layers } = loadFacade({ answer });
    await enhancedMemoryService.getStats('ada');
    await configure({ databaseUrl: URL });
    await configure({});
    await expect(configure({ databaseUrl: URL, pool: { max: 2 } })).rejects.toMatchObject({
      name: 'PersistenceError',
      code: 'ALREADY_CONFIGURED',
    });
    expect(layers).toHaveLength(1);
  });

  test('takes the functions of equal settings: reloaded code replaces its old ones', async () => {
    const { configure, enhancedMemoryService, layers } = loadFacade({ answer });
    const embedder = (number) => ({ model: 'm', dimensions: 1, embed: async () => [[number]] });
    await configure({ databaseUrl: URL, embedder: embedder(1) });
    await enhancedMemoryService.getStats('ada');
    expect(await layers[0].callbacks.embed(['a'])).toEqual([new Float32Array([1])]);
    await configure({ databaseUrl: URL, embedder: embedder(2) });
    expect(await layers[0].callbacks.embed(['a'])).toEqual([new Float32Array([2])]);
  });
});

describe('shutdown and close', () => {
  test('shutdown closes the layer; the next call starts one with the same settings', async () => {
    const { configure, enhancedMemoryService, shutdown, layers } = loadFacade({ answer });
    await shutdown();
    await configure({ databaseUrl: URL });
    await enhancedMemoryService.getStats('ada');
    await shutdown();
    expect(layers[0].closed).toBe(true);
    await enhancedMemoryService.getStats('ada');
    expect(layers[1]).toMatchObject({ closed: false, config: { databaseUrl: URL } });
    await shutdown();
    await configure({ databaseUrl: 'postgres://other' });
  });

  test('the last holder of the default layer closes it', async () => {
    const { PersistenceService, configure, layers } = loadFacade({ answer });
    await configure({ databaseUrl: URL });
    const [one, two, unused] = [1, 2, 3].map(() => new PersistenceService());
    await one.store({ userId: 'ada', content: 'c' });
    await two.store({ userId: 'ada', content: 'c' });
    await unused.close();
    await one.close();
    await one.close();
    expect(layers[0].closed).toBe(false);
    await two.close();
    expect(layers[0].closed).toBe(true);
    expect((await one.store({ userId: 'ada', content: 'c' })).success).toBe(true);
    expect(layers).toHaveLength(2);
  });
});

describe('createMemoryLayer', () => {
  test('makes a layer of its own beside the default one', async () => {
    const { configure, createMemoryLayer, enhancedMemoryService, layers } = loadFacade({ answer });
    await configure({ databaseUrl: URL });
    const layer = createMemoryLayer({ databaseUrl: 'postgres://mine' });
    const parts = ['close', 'graph', 'memory', 'metrics', 'migrate', 'persistence', 'sync'];
    expect(Object.keys(layer).sort()).toEqual(parts);
    await layer.memory.getStats('ada');
    await layer.persistence.store({ userId: 'ada', content: 'c' });
    await enhancedMemoryService.getStats('ada');
    expect(layers.map(({ config, requests }) => [config.databaseUrl, requests.length])).toEqual([
      ['postgres://mine', 2],
      [URL, 1],
    ]);
    await layer.persistence.close();
    expect(layers[0].closed).toBe(false);
    await layer[Symbol.asyncDispose]();
    expect(layers.map(({ closed }) => closed)).toEqual([true, false]);
  });

  test('refuses a wrong key at once, and reads the environment at the first call', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const { createMemoryLayer } = loadFacade({ answer });
    expect(() => createMemoryLayer({ url: URL })).toThrow(/^url: unknown/);
    const layer = createMemoryLayer();
    await expect(layer.memory.getStats('ada')).rejects.toMatchObject({ reason: 'NOT_CONFIGURED' });
    vi.stubEnv('DATABASE_URL', URL);
    await expect(layer.memory.getStats('ada')).resolves.toEqual(STATS);
  });

  test('keeps to the settings it was made with', async () => {
    const { createMemoryLayer, layers } = loadFacade({ answer });
    const config = { databaseUrl: URL };
    const layer = createMemoryLayer(config);
    config.databaseUrl = 'postgres://other';
    await layer.memory.getStats('ada');
    expect(layers[0].config.databaseUrl).toBe(URL);
  });

  test('is closed for good, even when it was never used', async () => {
    const { createMemoryLayer, layers } = loadFacade({ answer });
    const layer = createMemoryLayer({ databaseUrl: URL });
    await layer.close();
    await expect(layer.memory.getStats('ada')).rejects.toMatchObject({ reason: 'CLOSED' });
    await expect(layer.migrate()).rejects.toMatchObject({ reason: 'CLOSED' });
    expect((await layer.persistence.getHealth()).status).toBe('unhealthy');
    expect(layers).toHaveLength(0);
  });
});

describe('the embedded store', () => {
  const opened = () => {
    const store = { databaseUrl: 'postgres://relay', close: vi.fn(async () => {}) };
    return { store, openEmbedded: vi.fn(async () => store) };
  };

  test('is opened at the first call, and closed after the layer', async () => {
    const { store, openEmbedded } = opened();
    const { createMemoryLayer, layers } = loadFacade({ answer, openEmbedded });
    const layer = createMemoryLayer({ embedded: '/data', logger: {} });
    expect(openEmbedded).not.toHaveBeenCalled();
    await layer.memory.getStats('ada');
    await layer.memory.getStats('ada');
    expect(openEmbedded).toHaveBeenCalledExactlyOnceWith({ folder: '/data' });
    expect(layers[0].config).toMatchObject({ databaseUrl: 'postgres://relay', embedded: true });
    expect(layers[0].config).not.toHaveProperty('embeddedFolder');
    store.close.mockImplementation(async () => expect(layers[0].closed).toBe(true));
    await layer.close();
    expect(store.close).toHaveBeenCalledOnce();
  });

  test('says once where the data goes: to the logger, or to stderr', async () => {
    const { openEmbedded } = opened();
    const { createMemoryLayer } = loadFacade({ answer, openEmbedded });
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const info = vi.fn();
    try {
      await createMemoryLayer({ embedded: '/logged', logger: { info } }).memory.getStats('ada');
      await createMemoryLayer({ embedded: '/silent', logger: {} }).memory.getStats('ada');
      expect(stderr).not.toHaveBeenCalled();
      const layer = createMemoryLayer({ embedded: '/said' });
      await layer.memory.getStats('ada');
      await layer.memory.getStats('ada');
      expect(info).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('/logged'));
      expect(stderr).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^izzie-memory: .*\/said\n$/));
    } finally {
      stderr.mockRestore();
    }
  });

  test('that cannot be opened is a typed error, and is tried again', async () => {
    const { store, openEmbedded } = opened();
    const cause = new Error('cannot use /data for the embedded database (EACCES)');
    openEmbedded.mockRejectedValueOnce(cause);
    const { createMemoryLayer } = loadFacade({ answer, openEmbedded });
    const layer = createMemoryLayer({ embedded: '/data', logger: {} });
    await expect(layer.memory.getStats('ada')).rejects.toMatchObject({
      name: 'VectorStoreError',
      reason: 'UNAVAILABLE',
      message: cause.message,
      details: { folder: '/data' },
      retryable: true,
      cause,
    });
    await layer.memory.getStats('ada');
    expect(store.close).not.toHaveBeenCalled();
  });

  test('is given back when the layer does not come up', async () => {
    const { store, openEmbedded } = opened();
    const construct = () => {
      throw new Error('broken');
    };
    const { createMemoryLayer } = loadFacade({ construct, openEmbedded });
    const layer = createMemoryLayer({ embedded: '/data', logger: {} });
    await expect(layer.memory.getStats('ada')).rejects.toMatchObject({ reason: 'INTERNAL' });
    expect(store.close).toHaveBeenCalledOnce();
  });

  test('that is still opening is closed by close()', async () => {
    const { store, openEmbedded } = opened();
    const { promise, resolve } = Promise.withResolvers?.() ?? withResolvers();
    openEmbedded.mockReturnValueOnce(promise);
    const { createMemoryLayer } = loadFacade({ answer, openEmbedded });
    const layer = createMemoryLayer({ embedded: '/data', logger: {} });
    const call = layer.memory.getStats('ada').catch((error) => error);
    const closed = layer.close();
    resolve(store);
    await Promise.all([closed, call]);
    expect(store.close).toHaveBeenCalledOnce();
  });
});

/** Node 20 has no Promise.withResolvers. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
