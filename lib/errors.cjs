'use strict';

/**
 * Marks our errors with the names of their class and its parents. `instanceof` goes by this mark, so that it also holds
 * for an error made by another copy of this module: a reloaded one, or one in another realm (jest).
 */
const LINEAGE = Symbol.for('izzie-memory/error-lineage');
const PLAIN_INSTANCEOF = Function.prototype[Symbol.hasInstance];

/** @typedef {{ reason?: string, retryable?: boolean, cause?: unknown }} ErrorOptions */

class PersistenceError extends Error {
  /**
   * @param {string} message
   * @param {string} code
   * @param {Record<string, unknown>} [details]
   * @param {ErrorOptions} [options]
   */
  constructor(message, code, details, options = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.reason = options.reason ?? code;
    this.details = details;
    this.retryable = options.retryable ?? false;
  }

  /** `JSON.stringify` leaves an Error's name and message out. */
  toJSON() {
    const { name, message, code, reason, details, retryable } = this;
    return { name, message, code, reason, details, retryable };
  }
}

class VectorStoreError extends PersistenceError {
  /**
   * @param {string} message
   * @param {Record<string, unknown>} [details]
   * @param {ErrorOptions} [options]
   */
  constructor(message, details, options) {
    super(message, 'VECTOR_STORE_ERROR', details, options);
  }
}

class GraphStoreError extends PersistenceError {
  /**
   * @param {string} message
   * @param {Record<string, unknown>} [details]
   * @param {ErrorOptions} [options]
   */
  constructor(message, details, options) {
    super(message, 'GRAPH_STORE_ERROR', details, options);
  }
}

class SyncError extends PersistenceError {
  /**
   * @param {string} message
   * @param {Record<string, unknown>} [details]
   * @param {ErrorOptions} [options]
   */
  constructor(message, details, options) {
    super(message, 'SYNC_ERROR', details, options);
  }
}

/**
 * A subclass of a caller's own carries no mark of its own and goes by the prototype chain as usual.
 *
 * @this {Function}
 * @param {any} value
 */
function hasLineage(value) {
  if (!Object.hasOwn(this.prototype, LINEAGE)) return PLAIN_INSTANCEOF.call(this, value);
  const lineage = value?.[LINEAGE];
  return Array.isArray(lineage) && lineage.includes(this.prototype.name);
}

Object.defineProperty(PersistenceError, Symbol.hasInstance, { value: hasLineage });

const CLASSES = { PersistenceError, VectorStoreError, GraphStoreError, SyncError };

for (const [name, Class] of Object.entries(CLASSES)) {
  const lineage = Class === PersistenceError ? [name] : ['PersistenceError', name];
  Object.defineProperty(Class.prototype, 'name', { value: name, writable: true, configurable: true });
  Object.defineProperty(Class.prototype, LINEAGE, { value: Object.freeze(lineage) });
}

/**
 * Bad input, in the words of the core: the field, then what is wrong with it.
 *
 * @param {string} field
 * @param {string} problem
 * @param {Record<string, unknown>} [details]
 */
function invalid(field, problem, details = {}) {
  return new PersistenceError(`${field}: ${problem}`, 'INVALID_ARGUMENT', { field, ...details });
}

/**
 * Turns what the addon throws, an Error whose message is a JSON envelope, into one of the classes above.
 *
 * @param {unknown} thrown
 * @returns {Error}
 */
function revive(thrown) {
  if (thrown instanceof PersistenceError) return thrown;
  const envelope = parseEnvelope(thrown);
  if (envelope) return fromEnvelope(envelope);
  const text = /** @type {any} */ (thrown)?.message ?? thrown;
  return new PersistenceError(`Unexpected error: ${text}`, 'INTERNAL', undefined, { cause: thrown });
}

/** @param {{ class: string, code: string, reason: string, message: string, details?: object, retryable: boolean }} envelope */
function fromEnvelope({ class: name, code, reason, message, details, retryable }) {
  const options = { reason, retryable };
  if (name === 'PersistenceError') return new PersistenceError(message, code, details, options);
  return new CLASSES[name](message, details, options);
}

function parseEnvelope(thrown) {
  try {
    const envelope = JSON.parse(thrown.message);
    return Object.hasOwn(CLASSES, envelope.class) ? envelope : null;
  } catch {
    return null; // No envelope: the caller makes an INTERNAL error of it.
  }
}

module.exports = {
  PersistenceError,
  VectorStoreError,
  GraphStoreError,
  SyncError,
  invalid,
  revive,
  fromEnvelope,
};
