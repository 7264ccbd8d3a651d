'use strict';

const { plainObject, refuseUnknownKeys, withoutUndefined } = require('./encode.cjs');
const { invalid } = require('./errors.cjs');

const OPENAI_URL = 'https://api.openai.com/v1';

/**
 * @param {unknown} embedder
 * @param {Record<string, string | undefined>} env
 * @returns {{ model: 'none' | Record<string, unknown>, callback?: Function }}
 */
function resolveEmbedder(embedder, env) {
  if (embedder === 'none') return { model: 'none' };
  if (embedder === undefined) return { model: embedderOfEnvironment(env) };
  if (typeof embedder === 'string') throw invalid('embedder', `'${embedder}' is unknown; known is 'none'`);
  const given = plainObject(embedder, 'embedder');
  if ('provider' in given) return { model: httpEmbedder(given, env) };
  refuseUnknownKeys(given, ['model', 'dimensions', 'embed'], 'embedder.');
  const { model, dimensions } = given;
  if (typeof given.embed !== 'function') throw invalid('embedder.embed', 'must be a function');
  return { model: { kind: 'callback', model, dimensions }, callback: (...args) => given.embed(...args) };
}

function httpEmbedder(given, env) {
  refuseUnknownKeys(given, ['provider', 'baseUrl', 'apiKey', 'model', 'dimensions'], 'embedder.');
  const { provider, ...settings } = given;
  if (provider !== 'openai') throw invalid('embedder.provider', `must be 'openai'`);
  if (settings.apiKey !== undefined) return { kind: 'openai', ...settings };
  const account = accountOf(env);
  if (!account) throw invalid('embedder.apiKey', 'missing; set it, OPENROUTER_API_KEY or OPENAI_API_KEY');
  return { kind: 'openai', ...account, ...withoutUndefined(settings) };
}

function embedderOfEnvironment(env) {
  const account = accountOf(env);
  return account ? { kind: 'openai', ...account } : 'none';
}

/** The core's own base URL is OpenRouter's, where the first key belongs. */
function accountOf({ OPENROUTER_API_KEY, OPENAI_API_KEY }) {
  if (OPENROUTER_API_KEY) return { apiKey: OPENROUTER_API_KEY };
  return OPENAI_API_KEY ? { apiKey: OPENAI_API_KEY, baseUrl: OPENAI_URL } : null;
}

/**
 * @param {unknown} extractor
 * @returns {{ model: 'local' | 'none' | { kind: 'callback' }, callback?: Function }}
 */
function resolveExtractor(extractor = 'local') {
  if (extractor === 'local' || extractor === 'none') return { model: extractor };
  if (typeof extractor === 'string') {
    throw invalid('extractor', `'${extractor}' is unknown; known are 'local' and 'none'`);
  }
  const given = plainObject(extractor, 'extractor');
  refuseUnknownKeys(given, ['extract'], 'extractor.');
  if (typeof given.extract !== 'function') throw invalid('extractor.extract', 'must be a function');
  return { model: { kind: 'callback' }, callback: (...args) => given.extract(...args) };
}

module.exports = { resolveEmbedder, resolveExtractor };
