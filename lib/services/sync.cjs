'use strict';

/** @import { SyncService as Documented } from '../../index.js' */

const { callArguments } = require('../arguments.cjs');
const { inconsistency, syncResult, syncStats } = require('../decode.cjs');
const { defaultHost } = require('../state.cjs');

/**
 * Finds and repairs drift between Postgres and the graph. Documented in index.d.ts.
 * @implements {Documented}
 */
class SyncService {
  #host;

  constructor(host = defaultHost) {
    this.#host = host;
  }

  async checkConsistency(options) {
    const found = await this.#call('checkConsistency', callArguments(options, 'options'));
    return found.map(inconsistency);
  }

  async repairInconsistencies(inconsistencies, options) {
    return syncResult(
      await this.#call('repairInconsistencies', callArguments(options, 'options', { inconsistencies })),
    );
  }

  async fullSync(options) {
    return syncResult(await this.#call('fullSync', callArguments(options, 'options')));
  }

  async rebuildGraph(options) {
    return syncResult(await this.#call('rebuildGraph', callArguments(options, 'options')));
  }

  async getStats() {
    return syncStats(await this.#call('syncStats', { args: {} }));
  }

  /** @param {string} op @param {import('../arguments.cjs').CallArguments} call */
  #call(op, call) {
    return this.#host.call(this, { op, ...call });
  }
}

module.exports = { SyncService, syncService: new SyncService() };
