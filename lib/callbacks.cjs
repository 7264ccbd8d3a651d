'use strict';

const { askForStrategy } = require('./conflict-strategy.cjs');
const { encodeEmbedding } = require('./encode.cjs');
const { encodeWithGraph } = require('./encode-graph.cjs');
const { PersistenceError, invalid } = require('./errors.cjs');

/**
 * The caller's functions as the addon calls them. Those that it waits for are asynchronous and checked: it never sees a
 * throw, a missing result or one of the wrong shape, only a rejection.
 *
 * The functions are looked up at each call, so that `callbacks` may take newer ones (a module reloaded in development).
 *
 * @param {{ embed?: any, extract?: any, resolve?: any }} callbacks
 * @param {import('./calls.cjs').Calls} calls whose functions go before those of the layer
 * @param {{ dimensions?: number, strictEntities?: boolean, signal: AbortSignal }} settings what `embed` has promised, how
 *   what `extract` gives is read, and what is aborted when the layer closes
 */
function nativeCallbacks(callbacks, calls, { dimensions, strictEntities = false, signal }) {
  return {
    /** @param {number} callId @param {string} json */
    progress: (callId, json) => calls.progress(callId, json),
    /** @param {number} callId @param {string} conflictJson */
    resolve: async (callId, conflictJson) =>
      askForStrategy(calls.resolver(callId, callbacks.resolve), conflictJson, signal),
    ...(callbacks.embed && {
      /** @param {string[]} texts */
      embed: async (texts) =>
        checkEmbeddings(await callbacks.embed(texts, { signal }), texts.length, dimensions),
    }),
    ...(callbacks.extract && {
      /** @param {string} inputJson */
      extract: async (inputJson) =>
        encodeExtraction(await callbacks.extract(JSON.parse(inputJson), { signal }), strictEntities),
    }),
  };
}

function checkEmbeddings(embeddings, count, dimensions) {
  if (!Array.isArray(embeddings) || embeddings.length !== count) {
    throw invalid('embedder.embed', `must return one embedding per text, here an array of ${count}`);
  }
  return embeddings.map((embedding, index) =>
    checkEmbedding(embedding, `embedder.embed()[${index}]`, dimensions),
  );
}

function checkEmbedding(given, name, expected) {
  const embedding = encodeEmbedding(given, name);
  if (embedding?.length === expected) return embedding;
  const details = { expected, actual: embedding?.length ?? 0 };
  const message = `${name}: has ${details.actual} dimensions instead of ${expected}`;
  throw new PersistenceError(message, 'DIMENSION_MISMATCH', details);
}

function encodeExtraction(extraction, strictEntities) {
  if (!isExtraction(extraction)) {
    throw invalid('extractor.extract', 'must return { entities, relationships }, two arrays');
  }
  const { entities = [], relationships = [] } = extraction;
  return encodeWithGraph({ entities, relationships }, strictEntities);
}

/** Either array may be left out; an answer of another shape must not pass for one that found nothing. */
function isExtraction(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return [value.entities, value.relationships].every((list) => list === undefined || Array.isArray(list));
}

module.exports = { nativeCallbacks };
