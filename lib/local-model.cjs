'use strict';

/**
 * Where the weights of the offline embedder lie; none of them is read here. `undefined` where their package is not
 * installed, as a bundler or an installation without its dependencies may leave it.
 *
 * @returns {string | undefined}
 */
function localModelFolder() {
  try {
    // The name literally: tools that copy what an app needs follow it.
    return require('@izzie-memory/minilm-static').folder;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

module.exports = { localModelFolder };
