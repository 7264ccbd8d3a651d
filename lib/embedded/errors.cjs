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

module.exports = { UnavailableError, codeOf };
