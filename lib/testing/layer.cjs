'use strict';

const { resolveConfig } = require('../config.cjs');
const { Handle } = require('../handle.cjs');
const { layerOf } = require('../layer.cjs');

/**
 * A layer on an embedded database that somebody else has started. Nothing of the environment reaches it: a test must
 * not ask a paid model, nor write to a graph that is not its own.
 *
 * @param {string} databaseUrl
 * @param {Record<string, any>} config checked
 */
function createLayer(databaseUrl, config) {
  const { settings, ...rest } = resolveConfig({ ...config, databaseUrl }, {});
  return layerOf(new Handle(() => ({ ...rest, settings: { ...settings, embedded: true } })));
}

module.exports = { createLayer };
