'use strict';

const { plainObject } = require('./checks.cjs');
const { encodeEmbedding, withoutCopies } = require('./encode.cjs');
const { invalid } = require('./errors.cjs');
const { checkSignal } = require('./signals.cjs');

/**
 * What goes to the core as JSON, and what goes beside it.
 * @typedef {{ args: Record<string, any>, embedding?: Float32Array | null, signal?: AbortSignal }} CallArguments
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
 * The same for a write, with the parts that need a treatment of their own.
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

module.exports = { callArguments, writeArguments };
