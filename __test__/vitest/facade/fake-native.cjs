'use strict';

// A stand-in for the addon: answers what a test tells it to and remembers what it was asked.
const { Module } = require('node:module');
const path = require('node:path');

const LIB = path.resolve(__dirname, '../../../lib');
const NATIVE = path.join(LIB, 'native.cjs');
const EMBEDDED = path.join(LIB, 'embedded', 'index.cjs');
const LOCAL_MODEL = path.join(LIB, 'local-model.cjs');
const STATE = Symbol.for('izzie-memory/state/1');

const DEFAULTS = {
  enableVectorStore: true,
  enableGraphStore: true,
  rollbackOnPartialFailure: false,
  retryAttempts: 3,
  retryDelayMs: 1000,
  graphWaitMs: 500,
  enableAutoSync: false,
  syncIntervalMs: 300_000,
  conflictStrategy: 'vector_wins',
};
const LIMITS = {
  contentBytes: 100_000,
  metadataBytes: 100_000,
  entities: 200,
  batch: 1000,
  queryBytes: 10_000,
};

/**
 * The facade's modules, fresh, on a fake addon.
 *
 * @param {{ answer?: (request: any, embedding: Float32Array | null, callId: number, layer: any) => unknown,
 *   construct?: () => void, openEmbedded?: (options: { folder: string }) => Promise<any>,
 *   localModelFolder?: () => string | undefined }} [behaviour]
 */
function loadFacade({ answer = () => ({}), construct = () => {}, openEmbedded, localModelFolder } = {}) {
  delete globalThis[STATE];
  return reloadFacade({ layers: [], answer, construct, openEmbedded, localModelFolder });
}

/** The same process loads the modules once more: what it shares survives. */
function reloadFacade(fake) {
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(LIB + path.sep)) delete require.cache[file];
  }
  provide(NATIVE, {
    NativeLayer: layerClass(fake),
    constants: () => JSON.stringify({ defaults: DEFAULTS, limits: LIMITS }),
  });
  if (fake.openEmbedded) provide(EMBEDDED, { openEmbedded: fake.openEmbedded });
  if (fake.localModelFolder) provide(LOCAL_MODEL, { localModelFolder: fake.localModelFolder });
  const lib = (file) => require(path.join(LIB, file));
  return { ...lib('index.cjs'), internal: lib('state.cjs').__internal, fake, lib, layers: fake.layers };
}

function provide(filename, exports) {
  const module = new Module(filename);
  Object.assign(module, { filename, loaded: true, exports });
  require.cache[filename] = module;
}

function layerClass(fake) {
  return class NativeLayer {
    requests = [];
    cancelled = [];
    closed = false;

    constructor(config, callbacks) {
      this.config = JSON.parse(config);
      this.callbacks = callbacks;
      fake.construct();
      fake.layers.push(this);
    }

    async invoke(text, embedding, callId) {
      const request = JSON.parse(text);
      this.requests.push({ ...request, embedding, callId });
      return JSON.stringify(await fake.answer(request, embedding, callId, this));
    }

    cancel(callId) {
      this.cancelled.push(callId);
    }

    async close() {
      this.closed = true;
    }
  };
}

/** What the addon throws. */
function envelope(name, reason, details = {}) {
  const codes = {
    VectorStoreError: 'VECTOR_STORE_ERROR',
    GraphStoreError: 'GRAPH_STORE_ERROR',
    SyncError: 'SYNC_ERROR',
  };
  return {
    class: name,
    code: codes[name] ?? reason,
    reason,
    message: `it was ${reason}`,
    details,
    retryable: reason === 'UNAVAILABLE',
  };
}

function rejection(...args) {
  return new Error(JSON.stringify(envelope(...args)));
}

const MEMORY = Object.freeze({
  id: '3f0c4dbe-0000-4000-8000-000000000001',
  userId: 'ada',
  conversationId: null,
  content: 'Lunch with Grace',
  summary: null,
  metadata: {},
  importance: 5,
  accessCount: 0,
  lastAccessedAt: null,
  isDeleted: false,
  createdAt: '2026-01-02T03:04:05.678Z',
  updatedAt: '2026-01-02T03:04:06.000Z',
  revision: 17,
  entities: [{ type: 'person', value: 'Grace', normalized: 'grace', confidence: 1, source: 'body' }],
  relationships: [],
});

const WRITE = Object.freeze({
  created: true,
  vectorWriteSuccess: true,
  graphWriteSuccess: true,
  timestamp: '2026-01-02T03:04:05.678Z',
  duration: 1.5,
});

module.exports = { DEFAULTS, MEMORY, WRITE, envelope, loadFacade, rejection, reloadFacade };
