'use strict';

const { ProtocolError, readString, typeOf } = require('./protocol.cjs');
const { lockEffect } = require('./statements.cjs');

/**
 * The messages that a client wants answered in one go.
 *
 * @typedef {object} Batch
 * @property {Buffer} bytes
 * @property {boolean} complete the database answers it with ReadyForQuery; false after a mere Flush
 * @property {boolean} needsUnnamed it uses an unnamed statement that an earlier batch has prepared
 * @property {boolean} refused it holds something that would end the database
 * @property {import('./statements.cjs').LockEffect} lockEffect
 */

// PGlite reads its whole input at once; waiting for data that is still to come it would find the end of the
// input, take it for a lost connection and exit.
const COPY_IN = /\bcopy\b[^;]*\bfrom\s+stdin\b/i;

/** Collects a client's messages into batches. */
class BatchBuilder {
  /** @type {Buffer[]} */
  #messages = [];
  #parsedUnnamed = false;
  #needsUnnamed = false;
  #refused = false;
  /** @type {import('./statements.cjs').LockEffect} */
  #lockEffect;

  /** @param {import('./statements.cjs').Statements} statements */
  constructor(statements) {
    this.#statements = statements;
  }

  /** @type {import('./statements.cjs').Statements} */
  #statements;

  /**
   * @param {Buffer} message
   * @returns {Batch | null} a batch, if the message ends one
   */
  add(message) {
    const type = typeOf(message);
    this.#messages.push(this.#translate(type, message));
    if (type === 'S' || type === 'Q' || type === 'F') return this.#finish(true);
    return type === 'H' ? this.#finish(false) : null;
  }

  /**
   * @param {string} type
   * @param {Buffer} message
   */
  #translate(type, message) {
    switch (type) {
      case 'Q':
        this.#inspect(readString(message, 5)[0]);
        return message;
      case 'P':
        return this.#onParse(message);
      case 'B':
        return this.#onBind(message);
      case 'D':
        return this.#onDescribe(message);
      case 'C':
        return this.#statements.onClose(message);
      case 'E':
      case 'F':
      case 'H':
      case 'S':
        return message;
      default:
        throw new ProtocolError(`unexpected message type ${JSON.stringify(type)}`);
    }
  }

  /** @param {Buffer} message */
  #onParse(message) {
    const [name, sqlAt] = readString(message, 5);
    this.#refused ||= COPY_IN.test(readString(message, sqlAt)[0]);
    this.#parsedUnnamed ||= name === '';
    return this.#statements.onParse(message);
  }

  /** @param {Buffer} message */
  #onBind(message) {
    const { forward, unnamed, effect } = this.#statements.onBind(message);
    this.#noteUnnamed(unnamed);
    this.#lockEffect = effect ?? this.#lockEffect;
    return forward;
  }

  /** @param {Buffer} message */
  #onDescribe(message) {
    const { forward, unnamed } = this.#statements.onDescribe(message);
    this.#noteUnnamed(unnamed);
    return forward;
  }

  /** @param {boolean} used */
  #noteUnnamed(used) {
    this.#needsUnnamed ||= used && !this.#parsedUnnamed;
  }

  /** @param {string} sql */
  #inspect(sql) {
    this.#refused ||= COPY_IN.test(sql);
    this.#lockEffect = lockEffect(sql) ?? this.#lockEffect;
  }

  /**
   * @param {boolean} complete
   * @returns {Batch}
   */
  #finish(complete) {
    const batch = {
      bytes: Buffer.concat(this.#messages),
      complete,
      needsUnnamed: this.#needsUnnamed,
      refused: this.#refused,
      lockEffect: this.#lockEffect,
    };
    this.#messages = [];
    this.#parsedUnnamed = false;
    this.#needsUnnamed = false;
    this.#refused = false;
    this.#lockEffect = undefined;
    return batch;
  }
}

module.exports = { BatchBuilder };
