'use strict';

const { jobArguments } = require('./arguments.cjs');
const { checkConfig, resolveConfig } = require('./config.cjs');
const { fromEnvelope } = require('./errors.cjs');
const { Handle } = require('./handle.cjs');
const { GraphService } = require('./services/graph.cjs');
const { EnhancedMemoryService } = require('./services/memory.cjs');
const { PersistenceService } = require('./services/persistence.cjs');
const { SyncService } = require('./services/sync.cjs');

/** Node 20.0 to 20.3 have no such symbol; compiled `await using` then looks for this one. */
const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/**
 * A layer of its own beside the default one. Nothing is opened before the first call.
 *
 * @param {unknown} [config]
 */
function createMemoryLayer(config) {
  const checked = checkConfig(config);
  return layerOf(new Handle(() => resolveConfig(checked, process.env)));
}

/** @param {Handle} handle */
function layerOf(handle) {
  const host = hostOf(handle);
  const close = () => handle.close();
  return {
    memory: new EnhancedMemoryService(host),
    persistence: new PersistenceService({}, host),
    sync: new SyncService(host),
    graph: new GraphService(host),
    metrics: () => handle.call({ op: 'metrics', args: {} }),
    migrate: (options) => migrate(handle, options),
    close,
    [ASYNC_DISPOSE]: close,
  };
}

/**
 * @param {Handle} handle
 * @param {unknown} [options]
 */
async function migrate(handle, options) {
  const { adopted, ...rest } = await handle.call({ op: 'migrate', ...jobArguments(options, 'options') });
  const failed = adopted.failed.map(({ id, error }) => ({ id, error: fromEnvelope(error) }));
  return { ...rest, adopted: { ...adopted, failed } };
}

/** The layer keeps its connections until it is closed itself, whichever of its services was closed. */
function hostOf(handle) {
  return {
    handleFor: () => handle,
    release: async () => {},
  };
}

module.exports = { ASYNC_DISPOSE, createMemoryLayer, layerOf };
