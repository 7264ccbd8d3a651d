'use strict';

const { postgresAdvice } = require('./postgres-advice.cjs');
const { error, failure, ok, warning } = require('./verdict.cjs');

/** Variables that hold the key of an embedder. */
const KEYS = ['OPENROUTER_API_KEY', 'OPENAI_API_KEY'];

/** What the names of the offline model begin with. */
const OFFLINE = 'minilm-static';

/**
 * Whether the configured embedder gives vectors that can be compared with the stored ones.
 *
 * @param {any} facts what the core's operation `inspect` answers
 * @returns {import('./verdict.cjs').Check[]}
 */
function checkEmbedding({ embedding, embedded }) {
  if (!embedding) return [];
  if (embedding.error) return [failure('embedding', embedding.error, postgresAdvice(embedding.error))];
  const { embedder, stored } = embedding.found;
  if (!embedder) {
    const advice = `Configure one (${KEYS.join(', ')} or embedder), or install @izzie-memory/minilm-static.`;
    return [warning('embedding', 'there is no embedder: memories are found by their words only', advice)];
  }
  const own = `${embedder.model} (${embedder.dimensions} dimensions)`;
  const isSame = plainModel(embedder.model) === stored.model && embedder.dimensions === stored.dimensions;
  if (isSame || !stored.holdsVectors) return [ok('embedding', `${own}${remark(embedder, embedded)}`)];
  const found = `the embedder gives ${own}, the stored vectors are of ${stored.model} (${stored.dimensions})`;
  return [error('embedding', found, adviceOn(embedder, stored, embedded))];
}

/** What this check cannot know: whether a key works that costs money to try, or was forgotten. */
function remark(embedder, embedded) {
  if (!isOffline(embedder)) return '; not called here, so neither the service nor its key was tried';
  return embedded || hasKey() ? '' : `, the offline model: neither ${KEYS.join(' nor ')} is set`;
}

/** A database of one's own is not to be embedded anew by the offline model, only because a key is missing here. */
function adviceOn(embedder, stored, embedded) {
  if (!isOffline(embedder)) return `${configure(stored)}, or make all vectors anew: npx izzie-memory reembed`;
  if (!hasKey()) {
    const which = /^text-embedding-/.test(stored.model) ? 'OpenRouter or OpenAI' : 'its provider';
    return `Set ${KEYS.join(' or ')} to your key of ${which}: without one the offline model is used. ${configure(stored)} if it is another one.`;
  }
  const anew = embedded ? ', or make all vectors anew: npx izzie-memory reembed' : '';
  return `${configure(stored)}${anew}: this configuration names the offline model (embedder).`;
}

const configure = ({ model }) => `Configure the embedder ${model} again`;

const isOffline = ({ model }) => model.startsWith(OFFLINE);

const hasKey = () => KEYS.some((name) => process.env[name]);

/** OpenRouter's name of an OpenAI model means the same space. */
const plainModel = (model) => model.replace(/^openai\//, '');

module.exports = { checkEmbedding };
