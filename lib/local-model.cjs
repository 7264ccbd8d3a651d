'use strict';

const { requireUntraced } = require('./untraced.cjs');

/**
 * Where the weights of the offline embedder lie; none of them is read here. `undefined` where their package is not
 * there, as a deployment or an installation without dependencies leaves it.
 *
 * @returns {string | undefined}
 */
function localModelFolder() {
  try {
    return requireUntraced('@izzie-memory/minilm-static').folder;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

module.exports = { localModelFolder };
