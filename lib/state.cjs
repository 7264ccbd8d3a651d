'use strict';

const { checkConfig, resolveConfig } = require('./config.cjs');
const { PersistenceError } = require('./errors.cjs');
const { Handle } = require('./handle.cjs');

/**
 * The default layer lives on globalThis, so that all copies of this module in a process share it: reloaded ones (hot
 * reload), and the ones that a bundler makes. The number in its name rises when its shape changes.
 *
 * `holders` counts the service objects that have used it and are not closed.
 */
const KEY = Symbol.for('izzie-memory/state/1');
globalThis[KEY] ??= { config: {}, handle: null, holders: new WeakSet(), holding: 0 };
const state = globalThis[KEY];

function currentHandle() {
  state.handle ??= handleOf(resolveConfig(state.config, process.env));
  return state.handle;
}

/** Resolved before the handle is made: a configuration that fails must not count as a first use. */
function handleOf(resolved) {
  return new Handle(() => resolved);
}

/** The host of the exported services: the default layer, made at the first call. */
const defaultHost = {
  /** @param {object} holder the service object that calls */
  handleFor(holder) {
    const handle = currentHandle();
    hold(holder);
    return handle;
  },

  /** @param {object} holder */
  async release(holder) {
    if (!state.holders.delete(holder)) return;
    state.holding -= 1;
    if (state.holding === 0) await shutdown();
  },
};

function hold(holder) {
  if (state.holders.has(holder)) return;
  state.holders.add(holder);
  state.holding += 1;
}

/**
 * @param {unknown} config
 * @returns {Promise<void>}
 */
async function configure(config) {
  const checked = checkConfig(config);
  if (state.handle) {
    const resolved = resolveConfig(checked, process.env);
    if (!state.handle.isEqual(resolved)) throw alreadyConfigured();
    state.handle.adoptFunctions(resolved);
  }
  state.config = checked;
}

function alreadyConfigured() {
  const message =
    'The layer is in use with other settings. Call configure() before the first use, or shutdown() first.';
  return new PersistenceError(message, 'ALREADY_CONFIGURED');
}

async function shutdown() {
  const { handle } = state;
  Object.assign(state, { handle: null, holders: new WeakSet(), holding: 0 });
  await handle?.close();
}

/** What Prometheus reads. Documented in index.d.ts. @returns {Promise<string>} */
async function metrics() {
  return await currentHandle().call({ op: 'metrics', args: {} });
}

/** For the demo, which removes part of the graph behind the layer's back, and for `izzie-memory doctor`. */
const __internal = {
  /** Facts of the set-up; never rejects because of a store. @param {AbortSignal} [signal] */
  inspect: async (signal) => currentHandle().call({ op: 'inspect', args: {}, signal }),
  databaseUrl: async () => currentHandle().databaseUrl(),
  /** @param {string} op @param {Record<string, unknown>} args */
  invoke: async (op, args) => currentHandle().call({ op, args }),
};

module.exports = { defaultHost, configure, metrics, shutdown, __internal };
