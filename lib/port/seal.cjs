'use strict';

const { createHash } = require('node:crypto');
const { invalid } = require('../errors.cjs');

const FORMAT = 'izzie-memory';
const VERSION = 1;

/** What an export begins with. @typedef {{ format: string, version: number, userId: string, exportedAt: string }} Header */
/**
 * What it ends with: how many lines lie between, their digest, and how many of them an import refuses, where there are any.
 * @typedef {{ format: string, count: number, digest: string, unimportable?: number }} Trailer
 */

/** Counts lines and computes their digest: SHA-256 over each with a line feed behind it, in the order of the file. */
class Seal {
  count = 0;
  #hash = createHash('sha256');

  /** @param {string | Uint8Array} line without its end */
  add(line) {
    this.count += 1;
    this.#hash.update(line).update('\n');
  }

  get digest() {
    return this.#hash.copy().digest('hex');
  }

  /** @param {number} unimportable @returns {Trailer} */
  trailer(unimportable) {
    return {
      format: FORMAT,
      count: this.count,
      digest: this.digest,
      ...(unimportable > 0 && { unimportable }),
    };
  }
}

/** @param {string} userId @returns {Header} */
function header(userId) {
  return { format: FORMAT, version: VERSION, userId, exportedAt: new Date().toISOString() };
}

/** Whether a file is what an export wrote, found out while it is read. */
class SealCheck extends Seal {
  /** @type {Header | undefined} */
  #header;
  /** @type {Trailer | undefined} */
  #trailer;
  #edited = false;
  #hasUnread = false;

  /** A line that is too long to be held: what it says is not known, so the digest is not either. */
  addUnread() {
    this.count += 1;
    this.#hasUnread = true;
  }

  /** Whose memories they are, if the file says so. */
  get userId() {
    return this.#header?.userId;
  }

  /** Whether the lines are an export's. */
  get isOurs() {
    return this.#header !== undefined;
  }

  /**
   * Takes a line that is no memory. Answers whether it was one.
   *
   * @param {any} value
   */
  takes(value) {
    if (value?.format !== FORMAT || typeof value.content === 'string') return false;
    if (value.version !== undefined) this.#open(value);
    else this.#close(value);
    return true;
  }

  /** @param {Header} found */
  #open(found) {
    if (found.version !== VERSION) {
      const problem = `is an export of version ${JSON.stringify(found.version)}; this package reads version ${VERSION}`;
      throw invalid('source', problem, { limit: VERSION });
    }
    this.#edited ||= this.#header !== undefined || this.count > 0;
    this.#header ??= found;
  }

  /** @param {Trailer} found */
  #close(found) {
    this.#edited ||=
      this.#trailer !== undefined ||
      found.count !== this.count ||
      (found.digest !== this.digest && !this.#hasUnread);
    this.#trailer = found;
  }

  /** @returns {{ digest: string, verified: boolean, problem?: 'foreign' | 'truncated' | 'edited' | 'unread' }} */
  outcome() {
    const problem = this.#problem();
    return { digest: this.digest, verified: problem === undefined, ...(problem && { problem }) };
  }

  #problem() {
    if (!this.#header) return 'foreign';
    if (!this.#trailer) return 'truncated';
    if (this.#edited || this.#trailer.count !== this.count) return 'edited';
    return this.#hasUnread ? 'unread' : undefined;
  }
}

module.exports = { Seal, SealCheck, header };
