'use strict';

/** @import { SyncService as Documented } from '../../index.js' */

const { callArguments, jobArguments, repairArguments } = require('../arguments.cjs');
const { isPlain } = require('../checks.cjs');
const { conflict, inconsistency, page, queueItem, syncResult } = require('../decode.cjs');
const { getStats } = require('../health.cjs');
const { defaultHost } = require('../state.cjs');

/**
 * Routes of the TypeScript layer pass on what a form sends: of calls that compare, write to the graph or list, an empty
 * user is one that was not given. Calls that cost or remove something refuse it.
 *
 * @param {any} options
 */
function ofAllIfEmpty(options) {
  return isPlain(options) && options.userId === '' ? { ...options, userId: undefined } : options;
}

/**
 * Keeps the graph in step with Postgres. Documented in index.d.ts.
 * @implements {Documented}
 */
class SyncService {
  #host;

  constructor(host = defaultHost) {
    this.#host = host;
  }

  async checkConsistency(options) {
    const found = await this.#call('checkConsistency', jobArguments(ofAllIfEmpty(options), 'options'));
    return found.map(inconsistency);
  }

  async verify(options) {
    return await this.#call('verify', jobArguments(ofAllIfEmpty(options), 'options'));
  }

  async repairInconsistencies(inconsistencies, options) {
    const call = repairArguments(options, 'options', { inconsistencies });
    return syncResult(await this.#call('repairInconsistencies', call));
  }

  async fullSync(options) {
    return syncResult(await this.#call('fullSync', repairArguments(ofAllIfEmpty(options), 'options')));
  }

  async deltaSync(options) {
    return syncResult(await this.#call('deltaSync', jobArguments(ofAllIfEmpty(options), 'options')));
  }

  async rebuildGraph(options) {
    return syncResult(await this.#call('rebuildGraph', jobArguments(ofAllIfEmpty(options), 'options')));
  }

  async switchGraph(options) {
    return syncResult(await this.#call('switchGraph', jobArguments(options, 'options')));
  }

  async drain(options) {
    return await this.#call('drain', callArguments(options, 'options'));
  }

  async backfill(options) {
    return await this.#call('backfill', jobArguments(options, 'options'));
  }

  async reembed(options) {
    return await this.#call('reembed', jobArguments(options, 'options'));
  }

  async getQueue(options) {
    return page(await this.#call('getQueue', callArguments(ofAllIfEmpty(options), 'options')), queueItem);
  }

  async retryNow(ids) {
    return await this.#call('retryNow', { args: { ids } });
  }

  async purgeDead(ids) {
    return await this.#call('purgeDead', { args: { ids } });
  }

  async startAutoSync() {
    await this.#handle().startAutoSync();
  }

  async stopAutoSync() {
    await this.#handle().stopAutoSync();
  }

  async getConflicts(options) {
    return page(await this.#call('getConflicts', callArguments(ofAllIfEmpty(options), 'options')), conflict);
  }

  async purgeConflicts(options) {
    return await this.#call('purgeConflicts', callArguments(options, 'options'));
  }

  async getStats() {
    return await getStats(() => this.#call('syncStats', { args: {} }));
  }

  /** @param {string} op @param {import('../arguments.cjs').CallArguments} call */
  #call(op, call) {
    return this.#handle().call({ op, ...call });
  }

  #handle() {
    return this.#host.handleFor(this);
  }
}

module.exports = { SyncService, syncService: new SyncService() };
