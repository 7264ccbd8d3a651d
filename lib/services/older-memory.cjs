'use strict';

/** @import { MemoryService as Documented } from '../../index.js' */

const { objectOf, plainObject, withoutUndefined } = require('../checks.cjs');
const { GraphStoreError, invalid } = require('../errors.cjs');
const { namedIn } = require('../named-entities.cjs');
const { defaultHost } = require('../state.cjs');
const { GraphService } = require('./graph.cjs');
const { EnhancedMemoryService } = require('./memory.cjs');

const KEYS = ['enableGraph', 'enableVectorPersistence', 'llmModel'];
const DEFAULT_LIMIT = 10;
/** Of the entities that a query names, so many have their memories read. */
const ASKED = 5;

/**
 * The service that `lib/memory` of the application exports, over the same core. Documented in index.d.ts.
 * @implements {Documented}
 */
class MemoryService {
  #memory;
  #graph;
  #usesGraph;

  constructor(config = {}, host = defaultHost) {
    const { enableGraph, enableVectorPersistence } = checked(config);
    const persistence = withoutUndefined({
      enableGraphStore: enableGraph,
      enableVectorStore: enableVectorPersistence,
    });
    const own = Object.keys(persistence).length > 0 ? hostWith(host, persistence) : host;
    this.#memory = new EnhancedMemoryService(own);
    this.#graph = new GraphService(own);
    this.#usesGraph = enableGraph ?? true;
  }

  async store(entry, options) {
    return await this.#memory.store(entry, options);
  }

  async retrieve(userId, query, options) {
    return await this.#memory.retrieve(userId, query, options);
  }

  async hybridSearch(userId, query, options) {
    const { includeGraph = true, ...rest } = plainObject(options, 'options');
    if (typeof includeGraph !== 'boolean') throw invalid('options.includeGraph', 'must be a boolean');
    const memories = await this.#memory.retrieve(userId, query, rest);
    const graph = includeGraph && this.#usesGraph ? await this.#inGraph(userId, query, rest) : NOTHING;
    const known = new Set(memories.map(({ id }) => id));
    const combined = [...memories, ...graph.memories.filter(({ id }) => !known.has(id))];
    return {
      memories,
      graphResults: graph.entities,
      combined,
      metadata: {
        vectorResults: memories.length,
        graphResults: graph.entities.length,
        combinedResults: combined.length,
        ...(graph.unavailable && { graphUnavailable: graph.unavailable }),
      },
    };
  }

  async getAll(userId, options) {
    return await this.#memory.getAll(userId, options);
  }

  async getById(id) {
    return await this.#memory.getById(id);
  }

  async getStats(userId) {
    return await this.#memory.getStats(userId);
  }

  async delete(id, hard = false) {
    await this.#memory.delete(id, { hard });
  }

  /** A search goes on without the graph, and says so. @returns {Promise<Readonly<InGraph>>} */
  async #inGraph(userId, query, options) {
    try {
      return await this.#memoriesOfNamed(userId, query, options);
    } catch (error) {
      if (!(error instanceof GraphStoreError)) throw error;
      if (error.reason === 'NOT_CONFIGURED') return NOTHING;
      return { ...NOTHING, unavailable: { code: error.reason, message: error.message } };
    }
  }

  /** What mentions an entity is found under the filters of the search; a threshold speaks of the query's vector. */
  async #memoriesOfNamed(userId, query, options) {
    const { limit = DEFAULT_LIMIT, signal, entities: wanted = [] } = options;
    const entities = (await namedIn(this.#graph, userId, query, signal)).slice(0, limit);
    const found = await Promise.all(
      entities.slice(0, ASKED).map(({ type, name, normalized }) => {
        const filters = {
          threshold: undefined,
          mode: undefined,
          entities: [...wanted, { type, value: normalized }],
        };
        return this.#memory.retrieve(userId, name, { ...options, ...filters });
      }),
    );
    const byId = new Map(found.flat().map((memory) => [memory.id, memory]));
    return { entities, memories: [...byId.values()] };
  }
}

/**
 * @typedef {{ entities: any[], memories: any[], unavailable?: { code: string, message: string } }} InGraph
 * @type {Readonly<InGraph>}
 */
const NOTHING = Object.freeze({ entities: [], memories: [] });

function checked(config) {
  const { enableGraph, enableVectorPersistence, llmModel } = objectOf(config, KEYS, 'config');
  for (const [key, value] of Object.entries({ enableGraph, enableVectorPersistence })) {
    if (value !== undefined && typeof value !== 'boolean')
      throw invalid(`config.${key}`, 'must be a boolean');
  }
  if (llmModel !== undefined && typeof llmModel !== 'string')
    throw invalid('config.llmModel', 'must be a string');
  return { enableGraph, enableVectorPersistence };
}

/** The host whose calls have a configuration of their own. */
function hostWith(host, persistence) {
  return {
    handleFor(holder) {
      const handle = host.handleFor(holder);
      return { call: (request) => handle.call({ ...request, persistence }) };
    },
    release: (holder) => host.release(holder),
  };
}

module.exports = { MemoryService, memoryService: new MemoryService() };
