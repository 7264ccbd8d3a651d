'use strict';

const { objectOf, withoutUndefined } = require('./checks.cjs');
const { conflictStrategy } = require('./conflict-strategy.cjs');
const { DEFAULT_PERSISTENCE_CONFIG } = require('./constants.cjs');

const KEYS = Object.keys(DEFAULT_PERSISTENCE_CONFIG);

/**
 * Names only; the core judges the values.
 *
 * @param {unknown} config
 * @param {string} name
 * @returns {Record<string, any>}
 */
function checkPersistenceConfig(config, name) {
  const checked = objectOf(config, KEYS, name);
  conflictStrategy(checked.conflictStrategy, `${name}.conflictStrategy`);
  return checked;
}

/**
 * A checked configuration as the core takes it, and the function that may be in it.
 *
 * @param {Record<string, any>} [config]
 * @returns {{ settings: Record<string, any>, resolve?: Function }}
 */
function forCore(config = {}) {
  const { strategy, resolve } = conflictStrategy(config.conflictStrategy, 'conflictStrategy');
  return { settings: withoutUndefined({ ...config, conflictStrategy: strategy }), resolve };
}

module.exports = { checkPersistenceConfig, forCore };
