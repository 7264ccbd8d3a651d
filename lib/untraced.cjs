'use strict';

/**
 * Requires a package whose name the tools that copy what an app needs must not see: a deployment is to bring the
 * embedded database or the weights of the offline embedder where it asks for them, not always.
 *
 * @param {string} name
 */
function requireUntraced(name) {
  return require(name);
}

module.exports = { requireUntraced };
