'use strict';

const { callArguments, jobArguments, writeArguments } = require('./arguments.cjs');
const { objectOf } = require('./checks.cjs');
const { fromEnvelope, invalid } = require('./errors.cjs');
const { meter } = require('./progress.cjs');

/** @typedef {import('./handle.cjs').Handle} Handle */
/** How it went for one of the memories. @typedef {{ memory?: any, write?: any, error?: Error }} Outcome */

const CHUNK_SIZE = 100;

/**
 * Stores memories chunk by chunk, each in one transaction. What is wrong with one of them is its own outcome.
 *
 * @param {Handle} handle
 * @param {unknown} entries
 * @param {unknown} options
 * @param {Record<string, unknown>} [persistence]
 * @returns {Promise<Outcome[]>} one for each entry, in order
 */
async function storeMany(handle, entries, options, persistence) {
  if (!Array.isArray(entries)) throw invalid('entries', 'must be an array');
  const { args, signal, onProgress } = jobArguments(options, 'options');
  const chunkSize = chunkSizeOf(objectOf(args, ['chunkSize'], 'options').chunkSize, handle.batchLimit);
  const store = async (chunk) => storeChunk(handle, chunk, signal, persistence);
  const { outcomes, rest, error } = await inChunks(entries, chunkSize, { signal, onProgress }, store);
  return [...outcomes, ...rest.map(() => ({ error }))];
}

/**
 * @param {any} size `options.chunkSize`
 * @param {number} limit
 * @returns {number}
 */
function chunkSizeOf(size, limit) {
  if (size === undefined) return Math.min(CHUNK_SIZE, limit);
  if (Number.isInteger(size) && size >= 1 && size <= limit) return size;
  throw invalid('options.chunkSize', `must be a whole number from 1 to ${limit}`, { limit });
}

async function storeChunk(handle, chunk, signal, persistence) {
  return await storeItems(
    handle,
    Array.from(chunk, (entry) => storeItem(handle, entry)),
    { signal, persistence },
  );
}

/** A memory as the core takes it. @typedef {{ json: string, embedding: Float32Array, error?: undefined }} StoreItem */

/**
 * Stores one chunk, in one transaction.
 *
 * @param {Handle} handle
 * @param {(StoreItem | { error: Error })[]} items what has an error is passed over
 * @param {{ signal?: AbortSignal, persistence?: Record<string, unknown> }} call
 * @returns {Promise<Outcome[]>} one for each item, in order
 */
async function storeItems(handle, items, call) {
  return await itemsInCore(handle, 'storeMany', items, call);
}

/**
 * The same without a store: what is wrong with them. What Postgres would say of them is not known.
 *
 * @param {Handle} handle
 * @param {(StoreItem | { error: Error })[]} items
 * @param {{ signal?: AbortSignal }} call
 * @returns {Promise<Outcome[]>} one for each item, in order
 */
async function checkItems(handle, items, call) {
  return await itemsInCore(handle, 'checkMany', items, call);
}

/**
 * @param {Handle} handle
 * @param {'storeMany' | 'checkMany'} op
 * @param {(StoreItem | { error: Error })[]} items
 * @param {{ signal?: AbortSignal, persistence?: Record<string, unknown> }} call
 * @returns {Promise<Outcome[]>}
 */
async function itemsInCore(handle, op, items, { signal, persistence }) {
  const sound = items.filter((item) => !item.error);
  const args = `{"items":[${sound.map(({ json }) => json)}]}`;
  const embedding = concatenated(sound.map((item) => item.embedding));
  const call = { op, args, embedding, signal, persistence };
  const answers = sound.length === 0 ? [] : (await handle.call(call)).results.map(outcome);
  const next = answers.values();
  return items.map((item) => (item.error ? { error: item.error } : next.next().value));
}

/**
 * One of the memories as the core takes it, or what is wrong with it: encoded alone, so that it fails alone.
 *
 * @param {Handle} handle
 * @param {unknown} entry
 * @returns {StoreItem | { error: any }}
 */
function storeItem(handle, entry) {
  try {
    const { args, embedding, signal } = writeArguments(entry, 'entry');
    if (signal) throw invalid('entry.signal', 'belongs to the whole call');
    if (embedding?.length === 0) throw invalid('embedding', 'is empty');
    const numbers = embedding ?? new Float32Array();
    const json = `{"memory":${handle.encodeMemory(args)},"embeddingLength":${numbers.length}}`;
    return { json, embedding: numbers };
  } catch (error) {
    return { error };
  }
}

function concatenated(embeddings) {
  const all = new Float32Array(embeddings.reduce((length, one) => length + one.length, 0));
  let end = 0;
  for (const one of embeddings) {
    all.set(one, end);
    end += one.length;
  }
  return all;
}

/** @returns {Outcome} */
function outcome({ error, ...stored }) {
  return error ? { error: fromEnvelope(error) } : stored;
}

/**
 * Deletes memories in chunks of the most that the core takes at once.
 *
 * @param {Handle} handle
 * @param {unknown} ids
 * @param {unknown} options
 * @returns {Promise<{ deleted: string[], failed: { id: string, error: Error }[] }>}
 */
async function deleteMany(handle, ids, options) {
  if (!Array.isArray(ids)) throw invalid('ids', 'must be an array');
  const { args, signal } = callArguments(options, 'options', { ids });
  const remove = async (chunk) => [
    await handle.call({ op: 'deleteMany', args: { ...args, ids: chunk }, signal }),
  ];
  const different = [...new Set(ids)];
  const { outcomes, rest, error } = await inChunks(different, handle.batchLimit, { signal }, remove);
  return {
    deleted: outcomes.flatMap(({ deleted }) => deleted),
    failed: [
      ...outcomes.flatMap(({ failed }) =>
        failed.map(({ id, error }) => ({ id, error: fromEnvelope(error) })),
      ),
      ...rest.map((id) => ({ id, error })),
    ],
  };
}

/**
 * Works on a list piece by piece. An abort rejects, between two chunks or within one, and what was done stays done.
 * Bad arguments reject, unless something was done already: nobody would learn of that. A store that fails ends the work,
 * for it would fail the other chunks too, each after its own timeout: what is not known to be done is then the `rest`, with
 * the reason.
 *
 * @template T, R
 * @param {T[]} items
 * @param {number} size
 * @param {{ signal?: AbortSignal, onProgress?: any }} call
 * @param {(chunk: T[]) => Promise<R[]>} work
 * @returns {Promise<{ outcomes: R[], rest: T[], error?: any }>}
 */
async function inChunks(items, size, { signal, onProgress }, work) {
  const tell = meter(items.length, onProgress);
  const outcomes = [];
  for (let start = 0; start < items.length; start += size) {
    signal?.throwIfAborted();
    try {
      outcomes.push(...(await work(items.slice(start, start + size))));
    } catch (/** @type {any} */ error) {
      const isBad = start === 0 && error?.reason === 'INVALID_ARGUMENT';
      if (isBad || isAbort(error, signal)) throw error;
      return { outcomes, rest: items.slice(start), error };
    }
    tell(Math.min(start + size, items.length));
  }
  return { outcomes, rest: [] };
}

function isAbort(error, signal) {
  return signal?.aborted && error === signal.reason;
}

module.exports = { storeMany, storeItem, storeItems, checkItems, chunkSizeOf, deleteMany };
