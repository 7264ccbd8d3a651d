'use strict';

/** @import { EnhancedMemoryService as Documented } from '../../index.js' */

const { callArguments, writeArguments } = require('../arguments.cjs');
const { objectOf } = require('../checks.cjs');
const { memoryEntry, writeCopies } = require('../decode.cjs');
const { getHealth } = require('../health.cjs');
const { defaultHost } = require('../state.cjs');

const ENTRY_KEYS = ['userId', 'content', 'metadata'];
const CALL_KEYS = ['userId', 'signal'];
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
    return memoryEntry(memory, { ...writeCopies(write), created: write.created });
  }

  async retrieve(userId, query, options) {
    const found = await this.#call('retrieve', callArguments(options, 'options', { userId, query }));
    return found.map(toEntry);
  }

  async update(id, updates, call) {
    const { args: target, signal } = callArguments(objectOf(call, CALL_KEYS, 'call'), 'call', { id });
    const { args } = writeArguments(objectOf(updates, UPDATE_KEYS, 'updates'), 'updates', target);
    const { memory, write } = await this.#call('update', { args, signal });
    return memory && memoryEntry(memory, writeCopies(write));
  }

  async delete(id, options) {
    await this.#call('delete', callArguments(options, 'options', { id }));
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
    const found = await this.#call('getAll', callArguments(options, 'options', { userId }));
    return found.map(toEntry);
  }

  async getStats(userId) {
    return await this.#call('memoryStats', { args: { userId } });
  }

  async getHealth() {
    return await getHealth(() => this.#call('health', { args: {} }));
  }

  /** @param {string} op @param {import('../arguments.cjs').CallArguments} call */
  #call(op, call) {
    return this.#host.call(this, { op, ...call });
  }
}

/** One argument, for `map`. */
const toEntry = (memory) => memoryEntry(memory);

module.exports = { EnhancedMemoryService, enhancedMemoryService: new EnhancedMemoryService() };
