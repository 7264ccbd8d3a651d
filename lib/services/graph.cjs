'use strict';

/** @import { GraphService as Documented } from '../../index.js' */

const { callArguments } = require('../arguments.cjs');
const { graphEntity, memoryEntry, page } = require('../decode.cjs');
const { defaultHost } = require('../state.cjs');

/**
 * Asks the graph about the entities of a user's memories. Documented in index.d.ts.
 * @implements {Documented}
 */
class GraphService {
  #host;

  constructor(host = defaultHost) {
    this.#host = host;
  }

  async getEntity(userId, entity, options) {
    const found = await this.#call('getEntity', options, { userId, entity });
    return found && graphEntity(found);
  }

  async searchEntities(userId, text, options) {
    const found = await this.#call('searchEntities', options, { userId, text });
    return found.map(graphEntity);
  }

  async getTopEntities(userId, options) {
    const found = await this.#call('getTopEntities', options, { userId });
    return found.map(graphEntity);
  }

  async getRelatedEntities(userId, entity, options) {
    const found = await this.#call('getRelatedEntities', options, { userId, entity });
    return found.map((related) => ({ ...related, entity: graphEntity(related.entity) }));
  }

  async getMemoriesForEntity(userId, entity, options) {
    return page(await this.#call('getMemoriesForEntity', options, { userId, entity }), memoryEntry);
  }

  async findPath(userId, from, to, options) {
    const path = await this.#call('findPath', options, { userId, from, to });
    return path && { ...path, entities: path.entities.map(graphEntity) };
  }

  async getEntityStats(userId, options) {
    return await this.#call('getEntityStats', options, { userId });
  }

  /** @param {string} op @param {unknown} options @param {Record<string, unknown>} fixed the positional arguments */
  #call(op, options, fixed) {
    return this.#host.handleFor(this).call({ op, ...callArguments(options, 'options', fixed) });
  }
}

module.exports = { GraphService, graphService: new GraphService() };
