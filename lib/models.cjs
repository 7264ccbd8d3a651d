'use strict';

const { isPlain, objectOf, optionalText, withoutUndefined } = require('./checks.cjs');
const { PersistenceError, invalid } = require('./errors.cjs');
const { localModelFolder } = require('./local-model.cjs');

const OPENROUTER_URL = 'https://openrouter.ai/api/v1';
const OPENAI_URL = 'https://api.openai.com/v1';

/**
 * What the core is told of a model, and the caller's own function where it is one.
 * @typedef {{ model: string | Record<string, unknown>, callback?: Function }} Model
 */

/**
 * @param {any} embedder
 * @param {import('./config.cjs').Environment} env
 * @returns {Model}
 */
function resolveEmbedder(embedder, env) {
  if (embedder === undefined) return { model: defaultEmbedder(env) };
  if (embedder === 'none') return { model: 'none' };
  if (embedder === 'local') return { model: localEmbedder() };
  if (typeof embedder === 'string') {
    throw invalid('embedder', `'${embedder}' is unknown; known are 'local' and 'none'`);
  }
  if (isPlain(embedder) && 'provider' in embedder) return { model: httpEmbedder(embedder, env) };
  return callbackEmbedder(embedder);
}

function callbackEmbedder(embedder) {
  const { model, dimensions, embed } = objectOrInstance(
    embedder,
    ['model', 'dimensions', 'embed'],
    'embedder',
  );
  if (optionalText(model, 'embedder.model') === undefined) throw invalid('embedder.model', 'missing');
  checkCount(dimensions, 'embedder.dimensions');
  if (typeof embed !== 'function') throw invalid('embedder.embed', 'must be a function');
  const settings = { kind: 'callback', model, dimensions };
  return { model: settings, callback: (...args) => embedder.embed(...args) };
}

/** An instance of a class of the caller's own may have other members too. */
function objectOrInstance(value, known, name) {
  const isInstance = typeof value === 'object' && value !== null && !Array.isArray(value) && !isPlain(value);
  return isInstance ? value : objectOf(value, known, name);
}

function localEmbedder() {
  const directory = localModelFolder();
  if (directory !== undefined) return { kind: 'local', directory };
  const advice = 'install @izzie-memory/minilm-static, or configure another embedder';
  throw new PersistenceError(`The weights of embedder 'local' are missing: ${advice}.`, 'NOT_CONFIGURED');
}

function httpEmbedder(embedder, env) {
  const known = ['provider', 'baseUrl', 'apiKey', 'model', 'dimensions', 'batchSize', 'timeoutMs'];
  const { provider, ...settings } = withoutUndefined(objectOf(embedder, known, 'embedder'));
  if (provider !== 'openai') throw invalid('embedder.provider', `must be 'openai'`);
  for (const name of ['baseUrl', 'apiKey', 'model']) optionalText(settings[name], `embedder.${name}`);
  for (const name of ['dimensions', 'batchSize', 'timeoutMs']) {
    if (settings[name] !== undefined) checkCount(settings[name], `embedder.${name}`);
  }
  return { kind: 'openai', ...settings, ...accountFor(settings, env, 'embedder') };
}

function checkCount(value, name) {
  if (!Number.isInteger(value) || value < 1) throw invalid(name, 'must be a positive integer');
}

/** A provider where there is a key for one, else the offline model, else none: health says so then. */
function defaultEmbedder(env) {
  const account = accountOf(env);
  if (account) return { kind: 'openai', ...account };
  const directory = localModelFolder();
  return directory === undefined ? 'none' : { kind: 'local', directory };
}

/** The key of the environment and whose it is, by the variable's name: what the key looks like says nothing. */
function accountOf(/** @type {import('./config.cjs').Environment} */ env) {
  const { OPENROUTER_API_KEY, OPENAI_API_KEY } = env;
  if (OPENROUTER_API_KEY) return { apiKey: OPENROUTER_API_KEY, baseUrl: OPENROUTER_URL };
  return OPENAI_API_KEY ? { apiKey: OPENAI_API_KEY, baseUrl: OPENAI_URL } : null;
}

/**
 * Address and key of what is asked, where the caller names one of them, both or neither. A key of the environment goes to
 * its own vendor, unless the caller names another address.
 *
 * @param {Record<string, any>} settings
 * @param {import('./config.cjs').Environment} env
 * @param {string} name
 * @returns {{ apiKey: string, baseUrl?: string }}
 */
function accountFor({ apiKey, baseUrl }, env, name) {
  if (apiKey !== undefined) return { apiKey, ...addressOf(apiKey, baseUrl, env) };
  if (baseUrl === undefined) {
    const account = accountOf(env);
    if (account) return account;
    throw invalid(`${name}.apiKey`, 'missing; set it, OPENROUTER_API_KEY or OPENAI_API_KEY');
  }
  const variable = variablesFor(baseUrl).find((candidate) => env[candidate]);
  if (variable) return { apiKey: /** @type {string} */ (env[variable]), baseUrl };
  throw invalid(`${name}.apiKey`, `missing; set it or ${variablesFor(baseUrl).join(' or ')}`);
}

/** A key that the caller took out of the environment; whose any other is, the core tells by its prefix. */
function addressOf(apiKey, baseUrl, /** @type {import('./config.cjs').Environment} */ env) {
  const { OPENROUTER_API_KEY, OPENAI_API_KEY } = env;
  if (baseUrl !== undefined) return { baseUrl };
  if (apiKey === OPENROUTER_API_KEY) return { baseUrl: OPENROUTER_URL };
  return apiKey === OPENAI_API_KEY ? { baseUrl: OPENAI_URL } : {};
}

/** OpenAI is never sent a key of OpenRouter. */
function variablesFor(baseUrl) {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : '';
  const isOf = (domain) => host === domain || host.endsWith(`.${domain}`);
  return isOf('openai.com') ? ['OPENAI_API_KEY'] : ['OPENROUTER_API_KEY', 'OPENAI_API_KEY'];
}

/**
 * A key in the environment alone never makes an extractor that is paid for.
 *
 * @param {any} extractor
 * @param {import('./config.cjs').Environment} env
 * @returns {Model}
 */
function resolveExtractor(extractor = 'local', env = {}) {
  if (extractor === 'local' || extractor === 'none') return { model: extractor };
  if (typeof extractor === 'string') {
    throw invalid('extractor', `'${extractor}' is unknown; known are 'local' and 'none'`);
  }
  if (isPlain(extractor) && 'provider' in extractor) return { model: llmExtractor(extractor, env) };
  const { extract } = objectOrInstance(extractor, ['extract'], 'extractor');
  if (typeof extract !== 'function') throw invalid('extractor.extract', 'must be a function');
  return { model: { kind: 'callback' }, callback: (...args) => extractor.extract(...args) };
}

function llmExtractor(extractor, env) {
  const known = ['provider', 'baseUrl', 'apiKey', 'model', 'timeoutMs'];
  const { provider, ...settings } = withoutUndefined(objectOf(extractor, known, 'extractor'));
  if (provider !== 'openai') throw invalid('extractor.provider', `must be 'openai'`);
  for (const name of ['baseUrl', 'apiKey', 'model']) optionalText(settings[name], `extractor.${name}`);
  if (settings.timeoutMs !== undefined) checkCount(settings.timeoutMs, 'extractor.timeoutMs');
  return { kind: 'openai', ...settings, ...accountFor(settings, env, 'extractor') };
}

module.exports = { resolveEmbedder, resolveExtractor };
