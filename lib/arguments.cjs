'use strict';

const { plainObject } = require('./checks.cjs');
const { conflictStrategy } = require('./conflict-strategy.cjs');
const { encodeEmbedding, withoutCopies } = require('./encode.cjs');
const { invalid } = require('./errors.cjs');
const { checkOnProgress } = require('./progress.cjs');
const { checkSignal } = require('./signals.cjs');

/**
 * What goes to the core as JSON, and what goes beside it. The functions stay here.
 * @typedef {{ args: Record<string, any>, embedding?: Float32Array | null, signal?: AbortSignal }
 *   & import('./calls.cjs').CallFunctions} CallArguments
 */

/**
 * The arguments of one call: `fixed` are its positional ones, `value` its object of options. The core refuses unknown
 * options; what it could not notice is an option that has the name of a positional argument.
 *
 * @param {unknown} value
 * @param {string} name
 * @param {Record<string, unknown>} [fixed]
 * @returns {CallArguments}
 */
function callArguments(value, name, fixed = {}) {
  const { signal, ...given } = plainObject(value, name);
  for (const key of Object.keys(fixed)) {
    if (given[key] !== undefined) throw invalid(`${name}.${key}`, 'is not an option here');
  }
  return { args: { ...given, ...fixed }, signal: checkSignal(signal, `${name}.signal`) };
}

/**
 * The same for work that takes its time and tells how far it is.
 *
 * @param {unknown} value
 * @param {string} name
 * @param {Record<string, unknown>} [fixed]
 * @returns {CallArguments}
 */
function jobArguments(value, name, fixed) {
  const { args, signal } = callArguments(value, name, fixed);
  const { onProgress, ...rest } = args;
  return { args: rest, signal, onProgress: checkOnProgress(onProgress, `${name}.onProgress`) };
}

/**
 * The same for work that may meet conflicts.
 *
 * @param {unknown} value
 * @param {string} name
 * @param {Record<string, unknown>} [fixed]
 * @returns {CallArguments}
 */
function repairArguments(value, name, fixed) {
  const { args, ...job } = jobArguments(value, name, fixed);
  const { strategy, resolve } = conflictStrategy(args.conflictStrategy, `${name}.conflictStrategy`);
  return { args: { ...args, conflictStrategy: strategy }, resolve, ...job };
}

/**
 * The same as {@link callArguments} for a write, with the parts that need a treatment of their own.
 *
 * @param {unknown} value
 * @param {string} name
 * @param {Record<string, unknown>} [fixed]
 * @returns {CallArguments}
 */
function writeArguments(value, name, fixed) {
  const { args, signal } = callArguments(value, name, fixed);
  const { embedding, metadata, metadataPatch, ...rest } = args;
  return {
    args: { ...rest, metadata: withoutCopies(metadata), metadataPatch: withoutCopies(metadataPatch) },
    embedding: encodeEmbedding(embedding, 'embedding'),
    signal,
  };
}

module.exports = { callArguments, jobArguments, repairArguments, writeArguments };
