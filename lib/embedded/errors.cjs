'use strict';

/** The embedded database cannot be used; the facade gives this its public class. */
class UnavailableError extends Error {
  /**
   * @param {string} message names the folder and what to do about it
   * @param {unknown} [cause]
   */
  constructor(message, cause) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UnavailableError';
    this.reason = 'UNAVAILABLE';
  }
}

/**
 * @param {unknown} error
 * @returns {string | undefined} the system error code, e.g. `ENOENT`
 */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error)?.code;
}

/** @param {string | null} folder `null` for a database in memory */
function cannotOpen(folder) {
  if (folder === null) return 'cannot start the embedded database in memory';
  return (
    `cannot open the embedded database in ${folder}: if it is damaged or not ours, ` +
    'restore it from a copy or move it away to start with an empty one'
  );
}

module.exports = { UnavailableError, cannotOpen, codeOf };
