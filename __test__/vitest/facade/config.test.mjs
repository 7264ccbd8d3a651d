// Explicit settings before the environment, the environment before defaults.
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';

const { loadFacade } = createRequire(import.meta.url)('./fake-native.cjs');
const WEIGHTS = '/weights';
let weights = WEIGHTS;
const { lib } = loadFacade({ localModelFolder: () => weights });
const { checkConfig, resolveConfig } = lib('config.cjs');

const URL = 'postgres://db/app';
const resolve = (config, env = {}) => resolveConfig(checkConfig(config), env);
const settings = (config, env) => resolve(config, env).settings;
const refusal = (reason, field) => expect.objectContaining({ reason, ...(field && { details: { field } }) });

describe('the database', () => {
  test('comes from the configuration, then from the environment', () => {
    const env = { DATABASE_URL: 'postgres://env', DATABASE_URL_UNPOOLED: 'postgres://unpooled' };
    expect(settings({ databaseUrl: URL, directUrl: 'postgres://direct' }, env)).toMatchObject({
      databaseUrl: URL,
      directUrl: 'postgres://direct',
    });
    expect(settings({}, env)).toMatchObject({
      databaseUrl: 'postgres://env',
      directUrl: 'postgres://unpooled',
    });
    expect(settings({}, { ...env, DATABASE_DIRECT_URL: 'postgres://d' }).directUrl).toBe('postgres://d');
    expect(settings({ directUrl: 'postgres://d' }, env).directUrl).toBe('postgres://d');
    expect(settings({ databaseUrl: URL }, env)).not.toHaveProperty('directUrl');
    expect(settings({ databaseUrl: undefined }, env).databaseUrl).toBe('postgres://env');
  });

  test.each([[''], [null], [7]])('cannot be %j', (databaseUrl) => {
    expect(() => settings({ databaseUrl })).toThrow(refusal('INVALID_ARGUMENT', 'databaseUrl'));
  });

  test('is embedded outside production when none is named', () => {
    const folder = path.resolve(import.meta.dirname, '../../../.izzie-memory');
    for (const NODE_ENV of [undefined, 'development', 'test']) {
      expect(settings({}, { NODE_ENV })).toMatchObject({ embeddedFolder: folder });
      expect(settings({}, { NODE_ENV, DATABASE_URL: '' })).toMatchObject({ embeddedFolder: folder });
    }
  });

  test.each([
    ['in production', {}, { NODE_ENV: 'production' }],
    ['in a Next.js build', {}, { NEXT_PHASE: 'phase-production-build' }],
    ['where it is not wanted', { embedded: false }, { IZZIE_MEMORY_DIR: '/data' }],
  ])('is not embedded by itself %s', (_name, config, env) => {
    expect(() => settings(config, env)).toThrow(refusal('NOT_CONFIGURED'));
    expect(settings(config, { ...env, DATABASE_URL: URL })).toMatchObject({ databaseUrl: URL });
  });

  test('is embedded in production when somebody said so', () => {
    const env = { NODE_ENV: 'production' };
    expect(settings({ embedded: true }, env).embeddedFolder).toMatch(/\.izzie-memory$/);
    expect(settings({ embedded: 'data' }, env).embeddedFolder).toBe(path.resolve('data'));
    expect(settings({ embedded: 'memory://' }, env).embeddedFolder).toBe('memory://');
    expect(settings({}, { ...env, IZZIE_MEMORY_DIR: '/data' }).embeddedFolder).toBe('/data');
    expect(settings({ embedded: true }, { ...env, IZZIE_MEMORY_DIR: '/data' }).embeddedFolder).toBe('/data');
  });

  test('in the configuration wins over the environment, whichever kind it is', () => {
    expect(settings({ embedded: '/data' }, { DATABASE_URL: URL })).not.toHaveProperty('databaseUrl');
    expect(settings({ databaseUrl: URL }, { IZZIE_MEMORY_DIR: '/d' })).not.toHaveProperty('embeddedFolder');
    expect(settings({}, { DATABASE_URL: URL, IZZIE_MEMORY_DIR: '/d' })).not.toHaveProperty('embeddedFolder');
    expect(() => settings({ databaseUrl: URL, embedded: true })).toThrow(
      refusal('INVALID_ARGUMENT', 'embedded'),
    );
  });

  test.each([[''], [null], [7]])('cannot be embedded in %j', (embedded) => {
    expect(() => settings({ embedded })).toThrow(refusal('INVALID_ARGUMENT', 'embedded'));
  });
});

describe('neo4j', () => {
  const neo4j = (config, env) => settings({ databaseUrl: URL, neo4j: config }, env).neo4j;
  const env = { NEO4J_URI: 'bolt://env', NEO4J_USERNAME: 'eve', NEO4J_PASSWORD: 'pw', NEO4J_DATABASE: 'db' };

  test('is used when it has a URI', () => {
    expect(neo4j(undefined, {})).toBeUndefined();
    expect(neo4j({}, { NEO4J_PASSWORD: 'pw' })).toBeUndefined();
    expect(neo4j(undefined, env)).toEqual({ uri: 'bolt://env', user: 'eve', password: 'pw', database: 'db' });
    expect(neo4j({}, { ...env, NEO4J_USER: 'adam' }).user).toBe('adam');
    expect(neo4j({ uri: 'bolt://mine', user: 'me', password: '', database: 'x' }, env)).toEqual({
      uri: 'bolt://mine',
      user: 'me',
      password: '',
      database: 'x',
    });
  });

  test('has a default user, but no default password', () => {
    expect(neo4j({ uri: 'bolt://mine' }, { NEO4J_PASSWORD: '' })).toEqual({
      uri: 'bolt://mine',
      user: 'neo4j',
      password: '',
    });
    expect(() => neo4j({ uri: 'bolt://mine' }, {})).toThrow(refusal('INVALID_ARGUMENT', 'neo4j.password'));
  });
});

describe('whose key it is', () => {
  const OPENROUTER = 'https://openrouter.ai/api/v1';
  const OPENAI = 'https://api.openai.com/v1';
  const both = { OPENROUTER_API_KEY: 'key-of-the-one', OPENAI_API_KEY: 'key-of-the-other' };
  const [one, other] = [{ OPENROUTER_API_KEY: 'key-of-the-one' }, { OPENAI_API_KEY: 'key-of-the-other' }];

  describe.each(['embedder', 'extractor'])('the %s', (role) => {
    const account = (given, env) => {
      const model = settings({ databaseUrl: URL, [role]: { provider: 'openai', ...given } }, env)[role];
      return [model.apiKey, model.baseUrl];
    };

    test.each([
      ['by the name of its variable', {}, both, ['key-of-the-one', OPENROUTER]],
      ['alone, whatever it looks like', {}, one, ['key-of-the-one', OPENROUTER]],
      ['alone, the other one', {}, other, ['key-of-the-other', OPENAI]],
      ['that looks like another vendor’s', {}, { OPENAI_API_KEY: 'sk-or-v1-x' }, ['sk-or-v1-x', OPENAI]],
      ['that looks like OpenAI’s', {}, { OPENROUTER_API_KEY: 'sk-proj-x' }, ['sk-proj-x', OPENROUTER]],
      ['taken out of the environment', { apiKey: 'key-of-the-one' }, both, ['key-of-the-one', OPENROUTER]],
      ['taken out of it, the other', { apiKey: 'key-of-the-other' }, both, ['key-of-the-other', OPENAI]],
      ['of the caller alone', { apiKey: 'mine' }, both, ['mine', undefined]],
      ['for an address of OpenAI', { baseUrl: OPENAI }, both, ['key-of-the-other', OPENAI]],
      ['for an address of OpenRouter', { baseUrl: OPENROUTER }, both, ['key-of-the-one', OPENROUTER]],
      ['sent there by configuration', { baseUrl: OPENROUTER }, other, ['key-of-the-other', OPENROUTER]],
      [
        'for another address',
        { baseUrl: 'http://localhost:1/v1' },
        other,
        ['key-of-the-other', 'http://localhost:1/v1'],
      ],
    ])('%s', (_case, given, env, expected) => {
      expect(account(given, env)).toEqual(expected);
    });

    test('is not sent to another vendor', () => {
      expect(() => account({ baseUrl: OPENAI }, one)).toThrow(refusal('INVALID_ARGUMENT', `${role}.apiKey`));
      expect(() => account({ baseUrl: OPENAI }, one)).toThrow(/OPENAI_API_KEY/);
      expect(() => account({}, {})).toThrow(refusal('INVALID_ARGUMENT', `${role}.apiKey`));
    });
  });
});

describe('the embedder', () => {
  const embedder = (config, env) => settings({ databaseUrl: URL, embedder: config }, env).embedder;

  afterEach(() => {
    weights = WEIGHTS;
  });

  test('follows the key in the environment', () => {
    expect(embedder(undefined, { OPENROUTER_API_KEY: 'r', OPENAI_API_KEY: 'o' })).toEqual({
      kind: 'openai',
      apiKey: 'r',
      baseUrl: 'https://openrouter.ai/api/v1',
    });
    expect(embedder(undefined, { OPENAI_API_KEY: 'o' })).toEqual({
      kind: 'openai',
      apiKey: 'o',
      baseUrl: 'https://api.openai.com/v1',
    });
    expect(embedder('none', { OPENAI_API_KEY: 'o' })).toBe('none');
    expect(embedder('local', { OPENAI_API_KEY: 'o' })).toEqual({ kind: 'local', directory: WEIGHTS });
  });

  test('without a key is the offline one, where its weights are', () => {
    expect(embedder(undefined, {})).toEqual({ kind: 'local', directory: WEIGHTS });
    weights = undefined;
    expect(embedder(undefined, {})).toBe('none');
    const missing = expect.objectContaining({ message: expect.stringContaining('install @izzie-memory/') });
    expect(() => embedder('local', {})).toThrow(refusal('NOT_CONFIGURED'));
    expect(() => embedder('local', {})).toThrow(missing);
  });

  test('of a provider takes what is missing from the environment', () => {
    const local = { provider: 'openai', baseUrl: 'http://localhost:1', model: 'm', dimensions: 3 };
    expect(embedder({ ...local, apiKey: 'mine' }, { OPENAI_API_KEY: 'o' })).toEqual({
      kind: 'openai',
      baseUrl: 'http://localhost:1',
      model: 'm',
      dimensions: 3,
      apiKey: 'mine',
    });
    expect(embedder({ ...local, apiKey: undefined }, { OPENAI_API_KEY: 'o' })).toMatchObject({
      baseUrl: 'http://localhost:1',
      apiKey: 'o',
    });
    expect(() => embedder(local, {})).toThrow(refusal('INVALID_ARGUMENT', 'embedder.apiKey'));
  });

  test('of the caller keeps its function beside the settings, with its this', async () => {
    const given = { model: 'm', dimensions: 2, embed: async (texts) => [texts.length, given.dimensions] };
    const { settings: plain, callbacks } = resolve({ databaseUrl: URL, embedder: given });
    expect(plain.embedder).toEqual({ kind: 'callback', model: 'm', dimensions: 2 });
    expect(await callbacks.embed(['a'])).toEqual([1, 2]);
  });

  test('may be an instance of a class', async () => {
    class Embedder {
      #number = 7;
      provider = 'mine';
      model = 'm';
      dimensions = 1;
      async embed() {
        return [[this.#number]];
      }
    }
    const { settings: plain, callbacks } = resolve({ databaseUrl: URL, embedder: new Embedder() });
    expect(plain.embedder).toEqual({ kind: 'callback', model: 'm', dimensions: 1 });
    expect(await callbacks.embed()).toEqual([[7]]);
  });

  test.each([
    ['Local', 'embedder'],
    [[], 'embedder'],
    [7, 'embedder'],
    [null, 'embedder'],
    [{ model: 'm', dimensions: 2 }, 'embedder.embed'],
    [{ provider: 'cohere' }, 'embedder.provider'],
    [{ provider: 'openai', apiKey: '' }, 'embedder.apiKey'],
    [{ provider: 'openai', apiKey: 'k', dimensions: 1.5 }, 'embedder.dimensions'],
    [{ provider: 'openai', apiKey: 'k', batchSize: 0 }, 'embedder.batchSize'],
    [{ provider: 'openai', apiKey: 'k', timeoutMs: '5' }, 'embedder.timeoutMs'],
    [{ model: '', dimensions: 2, embed: () => {} }, 'embedder.model'],
    [{ model: 'm', dimensions: '2', embed: () => {} }, 'embedder.dimensions'],
    [{ model: 'm', embed: () => {} }, 'embedder.dimensions'],
    [{ provider: 'openai', apikey: 'k' }, 'embedder.apikey'],
    [{ model: 'm', dimension: 2, embed: () => {} }, 'embedder.dimension'],
  ])('cannot be %j', (config, field) => {
    expect(() => embedder(config, {})).toThrow(refusal('INVALID_ARGUMENT', field));
  });
});

describe('the extractor', () => {
  const extractor = (config, env) => settings({ databaseUrl: URL, extractor: config }, env).extractor;

  test('is the local one unless told otherwise', () => {
    expect(extractor(undefined)).toBe('local');
    expect(extractor(undefined, { OPENAI_API_KEY: 'o' })).toBe('local');
    expect(extractor('none')).toBe('none');
    expect(extractor({ extract: () => {} })).toEqual({ kind: 'callback' });
  });

  test('of a provider takes its key from the environment', () => {
    const mine = { provider: 'openai', baseUrl: 'http://localhost:1', model: 'm', timeoutMs: 500 };
    expect(extractor({ ...mine, apiKey: 'k' }, { OPENAI_API_KEY: 'o' })).toEqual({
      kind: 'openai',
      baseUrl: 'http://localhost:1',
      model: 'm',
      timeoutMs: 500,
      apiKey: 'k',
    });
    expect(extractor({ provider: 'openai' }, { OPENAI_API_KEY: 'o' })).toEqual({
      kind: 'openai',
      baseUrl: 'https://api.openai.com/v1',
      apiKey: 'o',
    });
    expect(extractor({ provider: 'openai' }, { OPENROUTER_API_KEY: 'r' })).toEqual({
      kind: 'openai',
      baseUrl: 'https://openrouter.ai/api/v1',
      apiKey: 'r',
    });
    expect(() => extractor(mine, {})).toThrow(refusal('INVALID_ARGUMENT', 'extractor.apiKey'));
  });

  test.each([
    ['llm', 'extractor'],
    [{}, 'extractor.extract'],
    [{ extract: () => {}, model: 'm' }, 'extractor.model'],
    [{ provider: 'cohere' }, 'extractor.provider'],
    [{ provider: 'openai', apiKey: '' }, 'extractor.apiKey'],
    [{ provider: 'openai', apiKey: 'k', timeoutMs: 0 }, 'extractor.timeoutMs'],
    [{ provider: 'openai', apiKey: 'k', dimensions: 3 }, 'extractor.dimensions'],
  ])('cannot be %j', (config, field) => {
    expect(() => extractor(config)).toThrow(refusal('INVALID_ARGUMENT', field));
  });
});

describe('a key that is not known', () => {
  test.each([
    [{ databseUrl: URL }, 'databseUrl'],
    [{ neo4j: { url: 'bolt://x' } }, 'neo4j.url'],
    [{ limits: { content: 1 } }, 'limits.content'],
    [{ pool: { min: 1 } }, 'pool.min'],
    [{ persistence: { retries: 1 } }, 'persistence.retries'],
    [{ persistence: { conflictStrategy: 'callback' } }, 'persistence.conflictStrategy'],
  ])('is refused by name: %j', (config, field) => {
    expect(() => checkConfig(config)).toThrow(refusal('INVALID_ARGUMENT', field));
  });

  test.each([[null], ['postgres://x'], [[]], [{ neo4j: 'bolt://x' }], [{ pool: null }], [{ logger: 'x' }]])(
    'and so is a value of the wrong kind: %j',
    (config) => {
      expect(() => checkConfig(config)).toThrow(refusal('INVALID_ARGUMENT'));
    },
  );
});

describe('persistence, limits and pool', () => {
  test('reach the core as they are, without what is undefined', () => {
    const given = {
      persistence: { retryAttempts: 0, graphWaitMs: undefined, enableAutoSync: true, syncIntervalMs: 5000 },
      limits: { entities: 3 },
      pool: { max: 2, acquireTimeoutMs: 100 },
    };
    expect(settings({ databaseUrl: URL, graphStore: 'none', ...given })).toEqual({
      databaseUrl: URL,
      graphStore: 'none',
      embedder: { kind: 'local', directory: WEIGHTS },
      extractor: 'local',
      persistence: { retryAttempts: 0, enableAutoSync: true, syncIntervalMs: 5000 },
      limits: { entities: 3 },
      pool: { max: 2, acquireTimeoutMs: 100 },
    });
  });

  test('have one text whatever the order of their keys', () => {
    const one = settings({ databaseUrl: URL, pool: { max: 2, acquireTimeoutMs: 100 } });
    const other = settings({ pool: { acquireTimeoutMs: 100, max: 2 }, databaseUrl: URL });
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  });

  test('a function that decides conflicts stays beside the settings', () => {
    const conflictStrategy = () => 'merge';
    const { settings: plain, callbacks } = resolve({ databaseUrl: URL, persistence: { conflictStrategy } });
    expect(plain.persistence).toEqual({ conflictStrategy: 'callback' });
    expect(callbacks.resolve).toBe(conflictStrategy);
    const named = resolve({ databaseUrl: URL, persistence: { conflictStrategy: 'manual' } });
    expect(named.settings.persistence).toEqual({ conflictStrategy: 'manual' });
    expect(named.callbacks.resolve).toBeUndefined();
  });
});
