'use strict';

/** @import { PersistenceService as Documented } from '../../index.js' */

const { callArguments, writeArguments } = require('../arguments.cjs');
const { storeMany } = require('../batch.cjs');
const { persistenceResult } = require('../decode.cjs');
const { PersistenceError, invalid } = require('../errors.cjs');
const { getHealth } = require('../health.cjs');
const { checkPersistenceConfig, forCore } = require('../persistence-config.cjs');
const { defaultHost } = require('../state.cjs');

/**
 * Writes to both stores and says how it went in each. Documented in index.d.ts.
 * @implements {Documented}
 */
class PersistenceService {
  #host;
  #config;

  constructor(config = {}, host = defaultHost) {
    const { settings, resolve } = forCore(checkPersistenceConfig(config, 'config'));
    if (resolve) throw invalid('config.conflictStrategy', 'a function belongs to the layer or to a call');
    this.#config = Object.keys(settings).length > 0 ? settings : undefined;
    this.#host = host;
  }

  async store(request) {
    const { memory, write } = await this.#call('store', writeArguments(request, 'request'));
    return persistenceResult(write, memory);
  }

  async storeMany(requests, options) {
    const started = performance.now();
    const outcomes = await storeMany(this.#host.handleFor(this), requests, options, this.#config);
    const duration = performance.now() - started;
    return outcomes.map(({ memory, write, error }) =>
      error ? failure(error, duration) : persistenceResult(write, memory),
    );
  }

  async update(request) {
    const started = performance.now();
    const { memory, write } = await this.#call('update', writeArguments(request, 'request'));
    return memory
      ? persistenceResult(write, memory)
      : failure(notFound(request.id), performance.now() - started);
  }

  async delete(request) {
    const { write } = await this.#call('delete', callArguments(request, 'request'));
    return /** @type {import('../../index.js').PersistenceResult<void>} */ (persistenceResult(write));
  }

  async getHealth() {
    return await getHealth(() => this.#call('health', { args: {} }));
  }

  async close() {
    await this.#host.release(this);
  }

  /** @param {string} op @param {import('../arguments.cjs').CallArguments} call */
  #call(op, call) {
    return this.#host.handleFor(this).call({ op, ...call, persistence: this.#config });
  }
}

/** An answer, not a fault: nothing of this id is there to change. @param {string} id */
function notFound(id) {
  return new PersistenceError('There is no such memory for this user.', 'NOT_FOUND', { id });
}

function failure(error, duration) {
  const metadata = { vectorWriteSuccess: false, graphWriteSuccess: false, timestamp: new Date(), duration };
  return { success: false, error, metadata };
}

module.exports = { PersistenceService, persistenceService: new PersistenceService() };
