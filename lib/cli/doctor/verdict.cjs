'use strict';

/**
 * `advice` says how to fix it; checks that are ok have none.
 * @typedef {{ name: string, state: 'ok' | 'warning' | 'error', found: string, advice?: string }} Check
 */

/** @param {string} name @param {string} found @returns {Check} */
const ok = (name, found) => ({ name, state: 'ok', found });

/** Works, but not well or not always. @param {string} name @param {string} found @param {string} advice @returns {Check} */
const warning = (name, found, advice) => ({ name, state: 'warning', found, advice });

/** @param {string} name @param {string} found @param {string} advice @returns {Check} */
const error = (name, found, advice) => ({ name, state: 'error', found, advice });

/** @param {string} name @param {{ message: string }} cause @param {string} advice @returns {Check} */
const failure = (name, { message }, advice) => error(name, message, advice);

module.exports = { ok, warning, error, failure };
