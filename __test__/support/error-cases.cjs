'use strict';

// One error of every class, provoked in the package on real stores. Run in each environment that loads the package.
const assert = require('node:assert/strict');

const ENTRY = { userId: 'error-cases', content: 'Lunch with Grace' };
const DEAD_DATABASE = 'postgres://nobody@127.0.0.1:1/none';
const DEAD_NEO4J = { uri: 'bolt://127.0.0.1:1', user: 'neo4j', password: 'canary-password' };

/**
 * `provoke` uses a layer of `config` and resolves to the error.
 * @typedef {{ name: string, config: (url: string) => object, provoke: (layer: any) => Promise<Error>, expected: object }} Case
 */

/** @type {Case[]} */
const CASES = [
  {
    name: 'PersistenceError',
    config: (databaseUrl) => ({ databaseUrl, graphStore: 'none' }),
    provoke: ({ memory }) => rejection(memory.store({ ...ENTRY, content: '' })),
    expected: {
      code: 'INVALID_ARGUMENT',
      reason: 'INVALID_ARGUMENT',
      retryable: false,
      details: { field: 'content' },
    },
  },
  {
    name: 'VectorStoreError',
    config: () => ({ databaseUrl: DEAD_DATABASE, pool: { acquireTimeoutMs: 500 } }),
    provoke: ({ memory }) => rejection(memory.store(ENTRY)),
    expected: { code: 'VECTOR_STORE_ERROR', reason: 'UNAVAILABLE', retryable: true },
  },
  {
    name: 'GraphStoreError',
    config: (databaseUrl) => ({
      databaseUrl,
      neo4j: DEAD_NEO4J,
      persistence: { rollbackOnPartialFailure: true },
    }),
    provoke: ({ memory }) => rejection(memory.store(ENTRY)),
    expected: { code: 'GRAPH_STORE_ERROR', reason: 'ROLLED_BACK', retryable: true },
  },
  {
    name: 'SyncError',
    config: (databaseUrl) => ({ databaseUrl, neo4j: DEAD_NEO4J }),
    provoke: ({ sync }) => rejection(sync.fullSync()),
    expected: { code: 'SYNC_ERROR', reason: 'UNAVAILABLE', retryable: true },
  },
];

async function rejection(promise) {
  return promise.then(
    (value) => assert.fail(`resolved with ${JSON.stringify(value)}`),
    (error) => error,
  );
}

/**
 * Provokes the error of a case and looks at all that callers see of it.
 *
 * @param {any} api the package, as this environment loads it
 * @param {Case} errorCase
 * @param {string} url of a migrated database
 */
async function checkErrorCase(api, { name, config, provoke, expected }, url) {
  const layer = api.createMemoryLayer(config(url));
  try {
    checkError(api, name, await provoke(layer), expected);
  } finally {
    await layer.close();
  }
}

function checkError(api, name, error, { details = {}, ...expected }) {
  assert.ok(error instanceof Error);
  for (const other of ['PersistenceError', 'VectorStoreError', 'GraphStoreError', 'SyncError']) {
    assert.equal(error instanceof api[other], other === name || other === 'PersistenceError', other);
  }
  const { code, reason, retryable } = error;
  assert.deepEqual({ name: error.name, code, reason, retryable }, { name, ...expected });
  assert.ok(error.message.length > 10);
  for (const [key, value] of Object.entries(details)) assert.deepEqual(error.details[key], value);
  const json = JSON.parse(JSON.stringify(error));
  assert.equal(json.message, error.message);
  assert.deepEqual(json.details, error.details);
  assert.doesNotMatch(`${JSON.stringify(error)}${error.stack}`, /canary/);
}

module.exports = { CASES, checkErrorCase };
