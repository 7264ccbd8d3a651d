'use strict';

const { conflict } = require('./decode.cjs');
const { invalid } = require('./errors.cjs');

/** How the core is told that a function of the caller's decides. No name that a caller may use. */
const CALLBACK = 'callback';

/**
 * A strategy is a name, which the core judges, or a function, which never crosses to it.
 *
 * @param {unknown} given
 * @param {string} name
 * @returns {{ strategy: unknown, resolve?: Function }}
 */
function conflictStrategy(given, name) {
  if (typeof given === 'function') return { strategy: CALLBACK, resolve: given };
  if (given === CALLBACK) throw invalid(name, 'must be the name of a strategy or a function');
  return { strategy: given };
}

/**
 * Asks the caller's function. The core judges the name it answers with.
 *
 * @param {Function} resolve
 * @param {string} conflictJson
 * @param {AbortSignal} signal aborted when the layer closes
 * @returns {Promise<string>}
 */
async function askForStrategy(resolve, conflictJson, signal) {
  const answer = await resolve(conflict(JSON.parse(conflictJson)), { signal });
  if (typeof answer === 'string' && answer !== CALLBACK) return answer;
  throw invalid('conflictStrategy', 'the function must return the name of a strategy');
}

module.exports = { conflictStrategy, askForStrategy };
