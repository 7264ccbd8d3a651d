'use strict';

/** @import { EnhancedMemoryService as Documented } from '../../index.js' */

const { callArguments, jobArguments, writeArguments } = require('../arguments.cjs');
const { deleteMany, storeMany } = require('../batch.cjs');
const { objectOf, plainObject } = require('../checks.cjs');
const { memoryEntry, page, writeCopies } = require('../decode.cjs');
const { invalid } = require('../errors.cjs');
const { getHealth } = require('../health.cjs');
const { exportMemories } = require('../port/export.cjs');
const { importMemories } = require('../port/import.cjs');
const { defaultHost } = require('../state.cjs');

const ENTRY_KEYS = ['userId', 'content', 'metadata'];
const GET_ALL_KEYS = ['limit', 'conversationId', 'signal'];
/** The most that the core lists at once. */
const PAGE = 1000;
const UPDATE_CALL_KEYS = ['userId', 'expectedRevision', 'strictEntities', 'signal'];
const UPDATE_KEYS = [
  'content',
  'summary',
  'metadata',
  'metadataPatch',
  'importance',
  'entities',
  'relationships',
  'extractEntities',
];

/**
 * Stores memories with their entities and finds them again. Documented in index.d.ts.
 * @implements {Documented}
 */
class EnhancedMemoryService {
  #host;

  constructor(host = defaultHost) {
    this.#host = host;
  }

  async store(entry, options) {
    const { userId, content, metadata } = objectOf(entry, ENTRY_KEYS, 'entry');
    const { memory, write } = await this.#call(
      'store',
      writeArguments(options, 'options', { userId, content, metadata }),
    );
    return storedEntry(memory, write);
  }

  async storeMany(entries, options) {
    const outcomes = await storeMany(this.#handle(), entries, options);
    const stored = outcomes.filter(({ error }) => !error);
    return {
      stored: stored.map(({ memory, write }) => storedEntry(memory, write)),
      failed: outcomes.flatMap(({ error }, index) => (error ? [{ index, error }] : [])),
    };
  }

  async retrieve(userId, query, options) {
    const found = await this.#call('retrieve', callArguments(options, 'options', { userId, query }));
    return found.map(toEntry);
  }

  async search(userId, query, options) {
    const found = await this.#call('search', callArguments(options, 'options', { userId, query }));
    return page(found, toEntry);
  }

  async update(id, updates, call) {
    const { args: target, signal } = callArguments(objectOf(call, UPDATE_CALL_KEYS, 'call'), 'call', { id });
    const { args } = writeArguments(objectOf(updates, UPDATE_KEYS, 'updates'), 'updates', target);
    const { memory, write } = await this.#call('update', { args, signal });
    return memory && memoryEntry(memory, writeCopies(write));
  }

  async delete(id, options) {
    await this.#call('delete', callArguments(options, 'options', { id }));
  }

  async deleteMany(ids, options) {
    return await deleteMany(this.#handle(), ids, options);
  }

  async deleteAll(userId, options) {
    return await this.#call('deleteAll', jobArguments(options, 'options', { userId }));
  }

  async restore(id, call) {
    const { memory, write } = await this.#call('restore', callArguments(call, 'call', { id }));
    return memory && memoryEntry(memory, writeCopies(write));
  }

  async purgeDeleted(options) {
    return await this.#call('purgeDeleted', jobArguments(options, 'options'));
  }

  async getById(id, call) {
    const memory = await this.#call('getById', callArguments(call, 'call', { id }));
    return memory && memoryEntry(memory);
  }

  async getMany(ids, call) {
    const found = await this.#call('getMany', callArguments(call, 'call', { ids }));
    return found.map(toEntry);
  }

  async getAll(userId, options) {
    const limit = options?.limit;
    // The core would name the limit of one page, which is none of this method.
    if (typeof limit === 'number' && !(Number.isInteger(limit) && limit >= 1))
      throw invalid('limit', `the number ${limit} is not a whole number from 1 on`);
    if (limit > PAGE) return await this.#getPages(userId, options);
    const found = await this.#call('getAll', callArguments(options, 'options', { userId }));
    return found.map(toEntry);
  }

  /** More than one answer of the core may hold. */
  async #getPages(userId, options) {
    const { limit, ...rest } = objectOf(options, GET_ALL_KEYS, 'options');
    const found = [];
    let cursor;
    do {
      const page = await this.list(userId, { ...rest, limit: Math.min(PAGE, limit - found.length), cursor });
      found.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && found.length < limit);
    return found;
  }

  async list(userId, options) {
    return page(await this.#call('list', callArguments(options, 'options', { userId })), toEntry);
  }

  async *iterate(userId, options) {
    const { pageSize: limit, ...rest } = plainObject(options, 'options');
    for (const key of ['limit', 'cursor'])
      if (rest[key] !== undefined) throw invalid(`options.${key}`, 'is not an option here');
    let cursor;
    do {
      const { items, nextCursor } = await this.list(userId, { ...rest, limit, cursor });
      yield* items;
      cursor = nextCursor;
    } while (cursor !== null);
  }

  exportMemories(userId, options) {
    return exportMemories(() => this.#handle(), userId, options);
  }

  async importMemories(source, options) {
    return await importMemories(this.#handle(), source, options);
  }

  async getStats(userId) {
    return await this.#call('memoryStats', { args: { userId } });
  }

  async getHealth() {
    return await getHealth(() => this.#call('health', { args: {} }));
  }

  /** @param {string} op @param {import('../arguments.cjs').CallArguments} call */
  #call(op, call) {
    return this.#handle().call({ op, ...call });
  }

  #handle() {
    return this.#host.handleFor(this);
  }
}

function storedEntry(memory, write) {
  return memoryEntry(memory, { ...writeCopies(write), created: write.created });
}

/** One argument, for `map`. */
const toEntry = (memory) => memoryEntry(memory);

module.exports = { EnhancedMemoryService, enhancedMemoryService: new EnhancedMemoryService() };
