'use strict';

const { message, readString } = require('./protocol.cjs');

/*
 * All clients share the one session of PGlite, and drivers name their prepared statements alike (`sqlx_s_1`)
 * and keep them for as long as they are connected. So each client's names are mapped to names of its own.
 * Portals need no such care: they end with their transaction, and within one no other client gets a turn.
 */

const TAKES_SESSION_LOCK = /\bpg_advisory_lock(_shared)?\b/i;
const RETURNS_SESSION_LOCK = /\bpg_advisory_unlock(_shared|_all)?\b/i;

/**
 * What a statement does to session-level advisory locks, which cannot keep apart clients of one session:
 * from lock to unlock the client keeps the session for itself (sqlx takes such a lock while it migrates).
 *
 * @typedef {'lock' | 'unlock' | undefined} LockEffect
 */

/**
 * @param {string} sql
 * @returns {LockEffect}
 */
function lockEffect(sql) {
  if (RETURNS_SESSION_LOCK.test(sql)) return 'unlock';
  return TAKES_SESSION_LOCK.test(sql) ? 'lock' : undefined;
}

let lastNumber = 0;

/** The prepared statements of one client. */
class Statements {
  /** @type {Map<string, { name: string, effect: LockEffect }>} */
  #named = new Map();
  /** @type {{ parse: Buffer, effect: LockEffect } | null} */
  #unnamed = null;

  /** The client's last unnamed Parse, to be repeated when another client has replaced it since. */
  get unnamedParse() {
    return this.#unnamed?.parse ?? null;
  }

  /**
   * @param {Buffer} parse
   * @returns {Buffer}
   */
  onParse(parse) {
    const [name, sqlAt] = readString(parse, 5);
    const effect = lockEffect(readString(parse, sqlAt)[0]);
    if (name === '') {
      this.#unnamed = { parse, effect };
      return parse;
    }
    // A name in use stays mapped, so that preparing it twice fails as it does on any server.
    const statement = this.#named.get(name) ?? { name: `s${++lastNumber}`, effect };
    this.#named.set(name, statement);
    return message('P', statement.name, parse.subarray(sqlAt));
  }

  /**
   * @param {Buffer} bind
   * @returns {{ forward: Buffer, unnamed: boolean, effect: LockEffect }}
   */
  onBind(bind) {
    const [portal, nameAt] = readString(bind, 5);
    const [name, end] = readString(bind, nameAt);
    if (name === '') return { forward: bind, unnamed: true, effect: this.#unnamed?.effect };
    const forward = message('B', portal, this.#serverName(name), bind.subarray(end));
    return { forward, unnamed: false, effect: this.#named.get(name)?.effect };
  }

  /**
   * @param {Buffer} describe
   * @returns {{ forward: Buffer, unnamed: boolean }}
   */
  onDescribe(describe) {
    const name = statementNamed(describe);
    if (!name) return { forward: describe, unnamed: name === '' };
    return { forward: message('D', Buffer.from('S'), this.#serverName(name)), unnamed: false };
  }

  /**
   * @param {Buffer} close
   * @returns {Buffer}
   */
  onClose(close) {
    const name = statementNamed(close);
    if (name === '') this.#unnamed = null;
    if (!name) return close;
    const forward = message('C', Buffer.from('S'), this.#serverName(name));
    this.#named.delete(name);
    return forward;
  }

  /** @returns {Buffer[]} messages that close all of them */
  closeAll() {
    return Array.from(this.#named.values(), ({ name }) => message('C', Buffer.from('S'), name));
  }

  /**
   * @param {string} name
   * @returns {string} for an unknown statement one that the server does not know either
   */
  #serverName(name) {
    return this.#named.get(name)?.name ?? `unknown:${name}`;
  }
}

/**
 * @param {Buffer} message a Describe or Close
 * @returns {string | null} `null` when it means a portal
 */
function statementNamed(message) {
  return String.fromCharCode(message[5]) === 'S' ? readString(message, 6)[0] : null;
}

module.exports = { Statements, lockEffect };
