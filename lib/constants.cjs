'use strict';

const native = require('./addon.cjs');

const { defaults, limits } = JSON.parse(native.constants());

/** The core's defaults. */
const DEFAULT_PERSISTENCE_CONFIG = Object.freeze(defaults);
const DEFAULT_LIMITS = Object.freeze(limits);

module.exports = { DEFAULT_PERSISTENCE_CONFIG, DEFAULT_LIMITS };
