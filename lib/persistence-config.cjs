'use strict';

const { plainObject, refuseUnknownKeys, withoutUndefined } = require('./encode.cjs');
const { invalid } = require('./errors.cjs');
const { DEFAULT_PERSISTENCE_CONFIG } = require('./constants.cjs');

/**
 * Names only, and what this version cannot do; the core judges the values.
 *
 * @param {unknown} config
 * @param {string} name
 * @returns {Record<string, any>}
 */
function checkPersistenceConfig(config, name) {
  const checked = plainObject(config, name);
  refuseUnknownKeys(checked, Object.keys(DEFAULT_PERSISTENCE_CONFIG), `${name}.`);
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
