'use strict';

const native = require('./native.cjs');

const { defaults } = JSON.parse(native.constants());

/** The core's defaults, and the two settings that the core does not act on yet. */
const DEFAULT_PERSISTENCE_CONFIG = Object.freeze({
  enableAutoSync: false,
  syncIntervalMs: undefined,
  ...defaults,
});

module.exports = { DEFAULT_PERSISTENCE_CONFIG };
