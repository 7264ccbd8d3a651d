'use strict';

const native = require('./addon.cjs');
const { beforeExitSignal } = require('./before-exit-signal.cjs');
const { nativeCallbacks } = require('./callbacks.cjs');
const { Calls } = require('./calls.cjs');
const { DEFAULT_LIMITS } = require('./constants.cjs');
const { encode } = require('./encode.cjs');
const { encodeWithGraph } = require('./encode-graph.cjs');
const { PersistenceError, VectorStoreError, revive } = require('./errors.cjs');
const { cancellable, untilAborted } = require('./signals.cjs');

/** @typedef {{ layer: any, closing: AbortController, databaseUrl: string, embedded?: { close(): Promise<void> } }} Started */

/**
 * One operation of the core. The arguments are an object or its JSON text.
 * @typedef {Omit<import('./arguments.cjs').CallArguments, 'args'> & {
 *   op: string, args: Record<string, any> | string, persistence?: Record<string, unknown> }} CallRequest
 */

/** Those whose entities and relationships are a memory's own. */
const MEMORY_OPS = new Set(['store', 'update']);

/**
 * One open layer: the embedded store where there is one, and the addon's side. Starts with the first call; a start that
 * failed is tried again by the next one.
 */
class Handle {
  #resolve;
  /** @type {import('./config.cjs').Resolved | null} */
  #resolved = null;
  /** @type {Promise<Started> | null} */
  #started = null;
  /** @type {Promise<void> | null} */
  #closed = null;
  #announced = false;
  #calls = new Calls();
  /** Whether a configuration has started auto-sync. It does so once: what was stopped stays stopped. */
  #enabled = false;
  /** Ends the waiting for exit signals. There while auto-sync runs. @type {(() => void) | null} */
  #unguard = null;

  /** @param {() => import('./config.cjs').Resolved} resolve called at the first use */
  constructor(resolve) {
    this.#resolve = resolve;
  }

  get #config() {
    this.#resolved ??= this.#resolve();
    return this.#resolved;
  }

  /** @param {import('./config.cjs').Resolved} other */
  isEqual({ settings }) {
    return JSON.stringify(settings) === JSON.stringify(this.#config.settings);
  }

  /**
   * Takes the functions of equal settings: code that is reloaded brings new ones.
   *
   * @param {import('./config.cjs').Resolved} other
   */
  adoptFunctions({ callbacks, logger }) {
    Object.assign(this.#config.callbacks, callbacks);
    this.#config.logger = logger;
  }

  /** The most ids or memories of one call to the core, which refuses a limit that is none. */
  get batchLimit() {
    return this.#config.settings.limits?.batch || DEFAULT_LIMITS.batch;
  }

  /** What a memory may hold, in bytes. */
  get limits() {
    const { contentBytes, metadataBytes } = { ...DEFAULT_LIMITS, ...this.#config.settings.limits };
    return { contentBytes, metadataBytes };
  }

  /** Whether entities and relationships that are not as documented are refused, where a call does not say. */
  get #strictEntities() {
    return this.#config.settings.strictEntities === true;
  }

  /** JSON text of a memory to be written. @param {Record<string, any>} args */
  encodeMemory(args) {
    return encodeWithGraph(args, args.strictEntities ?? this.#strictEntities);
  }

  async databaseUrl() {
    return (await this.#start()).databaseUrl;
  }

  /**
   * @param {CallRequest} request
   * @returns {Promise<any>} the answer, dates still as text
   */
  async call({ op, args, embedding = null, persistence, signal, ...functions }) {
    this.#mustBeOpen();
    const text = this.#encodeRequest(op, args, persistence);
    const { layer } = await untilAborted(this.#start(), signal);
    this.#guardIfEnabled(persistence);
    const callId = this.#calls.begin(functions);
    const invoke = () => invokeOn(layer, text, embedding, callId);
    try {
      return JSON.parse(await cancellable(signal, invoke, () => layer.cancel(callId)));
    } catch (error) {
      throw this.#closed && /** @type {any} */ (error)?.reason === 'ABORTED' ? closedError() : error;
    } finally {
      this.#calls.end(callId);
    }
  }

  async startAutoSync() {
    await this.call({ op: 'startAutoSync', args: {} });
    this.#guardAutoSync();
  }

  async stopAutoSync() {
    this.#unguardAutoSync();
    await this.call({ op: 'stopAutoSync', args: {} });
  }

  /**
   * The core starts auto-sync by itself, with the first call whose configuration wants it.
   *
   * @param {Record<string, unknown>} [own] the calling service's configuration
   */
  #guardIfEnabled(own) {
    const { enableAutoSync } = { ...this.#config.settings.persistence, ...own };
    if (!enableAutoSync || this.#enabled) return;
    this.#enabled = true;
    this.#guardAutoSync();
  }

  #guardAutoSync() {
    if (!this.#closed) this.#unguard ??= beforeExitSignal(() => this.stopAutoSync());
  }

  #unguardAutoSync() {
    this.#unguard?.();
    this.#unguard = null;
  }

  /** The arguments are encoded alone, so that an error names a path in them. */
  #encodeRequest(op, args, persistence) {
    const own = persistence && encode({ ...this.#config.settings.persistence, ...persistence });
    const text =
      typeof args === 'string' ? args : MEMORY_OPS.has(op) ? this.encodeMemory(args) : encode(args);
    return `{"op":${JSON.stringify(op)},"args":${text}${own ? `,"persistence":${own}` : ''}}`;
  }

  #mustBeOpen() {
    if (this.#closed) throw closedError();
  }

  async #start() {
    this.#mustBeOpen();
    this.#started ??= this.#open().catch((error) => {
      this.#started = null;
      throw error;
    });
    return this.#started;
  }

  async #open() {
    const { embeddedFolder, ...settings } = this.#config.settings;
    if (embeddedFolder === undefined) return this.#connect(settings);
    const embedded = await this.#openEmbedded(embeddedFolder);
    try {
      return {
        ...this.#connect({ ...settings, databaseUrl: embedded.databaseUrl, embedded: true }),
        embedded,
      };
    } catch (error) {
      await embedded.close();
      throw error;
    }
  }

  async #openEmbedded(folder) {
    const { openEmbedded } = require('./embedded/index.cjs');
    this.#announce(folder);
    try {
      return await openEmbedded({ folder });
    } catch (error) {
      const options = { reason: 'UNAVAILABLE', retryable: true, cause: error };
      throw new VectorStoreError(/** @type {Error} */ (error).message, { folder }, options);
    }
  }

  /** Nobody should find out later where the data went. Said once, however often the start is tried. */
  #announce(folder) {
    if (this.#announced) return;
    this.#announced = true;
    const message = `izzie-memory: using the embedded database in ${folder}`;
    const { logger } = this.#config;
    if (logger) logger.info?.(message);
    else process.stderr.write(`${message}\n`);
  }

  #connect(settings) {
    const closing = new AbortController();
    const { callbacks } = this.#config;
    try {
      const { dimensions } = settings.embedder;
      const functions = nativeCallbacks(callbacks, this.#calls, {
        dimensions,
        strictEntities: this.#strictEntities,
        signal: closing.signal,
      });
      const layer = new native.NativeLayer(JSON.stringify(settings), functions);
      return { layer, closing, databaseUrl: settings.databaseUrl };
    } catch (error) {
      throw revive(error);
    }
  }

  /** Idempotent. Waits for a start that is under way. */
  close() {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close() {
    const started = await this.#started?.catch(() => null); // A start that failed has nothing to close.
    this.#unguardAutoSync();
    if (!started) return;
    started.closing.abort(closedError());
    // A call may hang in a function of the caller's that heeds no signal.
    for (const callId of this.#calls.ids()) started.layer.cancel(callId);
    try {
      await started.layer.close();
    } catch (error) {
      throw revive(error);
    } finally {
      await started.embedded?.close();
    }
  }
}

function closedError() {
  return new PersistenceError('The layer was closed.', 'CLOSED');
}

async function invokeOn(layer, request, embedding, callId) {
  try {
    return await layer.invoke(request, embedding, callId);
  } catch (error) {
    throw revive(error);
  }
}

module.exports = { Handle };
