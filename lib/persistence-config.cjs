'use strict';

const { objectOf, withoutUndefined } = require('./checks.cjs');
const { DEFAULT_PERSISTENCE_CONFIG } = require('./constants.cjs');
const { invalid } = require('./errors.cjs');

const KEYS = Object.keys(DEFAULT_PERSISTENCE_CONFIG);

/**
 * Names only, and what this version cannot do; the core judges the values.
 *
 * @param {unknown} config
 * @param {string} name
 * @returns {Record<string, any>}
 */
function checkPersistenceConfig(config, name) {
  const checked = objectOf(config, KEYS, name);
  if (checked.enableAutoSync)
    throw invalid(`${name}.enableAutoSync`, 'not available in 0.1; call fullSync()');
  return checked;
}

/**
 * The part of a checked configuration that the core acts on.
 *
 * @param {Record<string, any>} config
 */
function forCore({ enableAutoSync, syncIntervalMs, ...config }) {
  return withoutUndefined(config);
}

module.exports = { checkPersistenceConfig, forCore };
