'use strict';

const { invalid } = require('./errors.cjs');

/**
 * Goes by shape: under jest the caller's AbortSignal may be of another realm.
 *
 * @param {unknown} signal
 * @param {string} name
 * @returns {AbortSignal | undefined}
 */
function checkSignal(signal, name) {
  if (signal === undefined) return undefined;
  const { aborted, addEventListener } = /** @type {any} */ (signal) ?? {};
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function')
    return /** @type {AbortSignal} */ (signal);
  throw invalid(name, 'must be an AbortSignal');
}

/**
 * Waits for a promise that cannot be cancelled itself; an abort ends the waiting, not the work.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function untilAborted(promise, signal) {
  if (!signal) return await promise;
  promise.catch(() => {}); // After an abort nobody is left to be told how it ended.
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Runs work that can be cancelled. Whether an abort came in time is the worker's to say: what was committed resolves.
 *
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {() => Promise<T>} work rejects with reason 'ABORTED' when it was cancelled in time
 * @param {() => void} cancel
 * @returns {Promise<T>}
 */
async function cancellable(signal, work, cancel) {
  if (!signal) return await work();
  signal.throwIfAborted();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && /** @type {any} */ (error)?.reason === 'ABORTED') throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

module.exports = { checkSignal, untilAborted, cancellable };
