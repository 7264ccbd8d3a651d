'use strict';

const { invalid } = require('./errors.cjs');

/** @typedef {{ done: number, total: number, etaMs?: number }} Progress */

/**
 * @param {unknown} onProgress
 * @param {string} name
 * @returns {((progress: any) => void) | undefined}
 */
function checkOnProgress(onProgress, name) {
  if (onProgress === undefined) return undefined;
  if (typeof onProgress !== 'function') throw invalid(name, 'must be a function');
  return guarded(onProgress);
}

/**
 * The caller's function, made safe to call from the middle of work: work that is half done must not fail because a
 * progress bar did. The first failure of a call is told as a process warning, which nobody overlooks and which ends
 * nothing.
 *
 * @param {Function} onProgress
 * @returns {(progress: any) => void}
 */
function guarded(onProgress) {
  let warned = false;
  return async (progress) => {
    try {
      await onProgress(progress);
    } catch (error) {
      if (!warned) warn(error);
      warned = true;
    }
  };
}

function warn(error) {
  process.emitWarning('An onProgress function failed; the call it belongs to goes on.', {
    type: 'IzzieMemoryWarning',
    code: 'ON_PROGRESS_FAILED',
    detail: String(error?.stack ?? error),
  });
}

/**
 * Tells how far work in steps is.
 *
 * @param {number} total
 * @param {((progress: Progress) => void) | undefined} onProgress
 * @returns {(done: number) => void}
 */
function meter(total, onProgress) {
  if (!onProgress) return () => {};
  const started = performance.now();
  return (done) => {
    const etaMs = ((performance.now() - started) / done) * (total - done);
    onProgress({ done, total, etaMs });
  };
}

module.exports = { checkOnProgress, meter };
