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

/** @typedef {{ listeners: Set<() => void>, tellAll: () => void }} Hub */

/**
 * All calls with one signal share one registration: Node warns of a leak at the eleventh, and a signal may well belong
 * to a hundred calls.
 *
 * @type {WeakMap<AbortSignal, Hub>}
 */
const hubs = new WeakMap();

/** @returns {Hub} */
function makeHub() {
  const listeners = new Set();
  const tellAll = () => {
    for (const listener of listeners) listener();
  };
  return { listeners, tellAll };
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} listener a function of this call alone
 * @returns {() => void} ends the listening
 */
function listen(signal, listener) {
  const hub = hubs.get(signal) ?? makeHub();
  hubs.set(signal, hub);
  if (hub.listeners.size === 0) signal.addEventListener('abort', hub.tellAll, { once: true });
  hub.listeners.add(listener);
  return () => {
    hub.listeners.delete(listener);
    if (hub.listeners.size === 0) signal.removeEventListener('abort', hub.tellAll);
  };
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
  let stopListening = () => {};
  const aborted = new Promise((_, reject) => {
    stopListening = listen(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stopListening();
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
  const stopListening = listen(signal, cancel);
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && /** @type {any} */ (error)?.reason === 'ABORTED') throw signal.reason;
    throw error;
  } finally {
    stopListening();
  }
}

module.exports = { checkSignal, untilAborted, cancellable };
