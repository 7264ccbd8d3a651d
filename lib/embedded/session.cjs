'use strict';

const { SYNC, errorResponse, message } = require('./protocol.cjs');
const { keepUp } = require('./upkeep.cjs');

const UPKEEP_MS = 10_000;
const IDLE = 'I';
const ROLLBACK = message('Q', 'rollback');
/** @type {[code: string, text: string]} */
const SHUTDOWN = [
  '57P01',
  'terminating connection: the process that hosts the embedded database is closing it',
];
const RETURN_SESSION_LOCKS = message('Q', 'select pg_advisory_unlock_all()');

/**
 * Shares PGlite's one session among the clients: one batch of one client at a time, in turns. Whoever is in a
 * transaction keeps the session until it ends, so nobody ever runs inside another's.
 *
 * What a session remembers beyond prepared statements (SET, temporary tables, LISTEN, cursors WITH HOLD) is
 * common to all clients. The clients are our own pools, which use none of it: settings are transaction-local.
 */
class Session {
  /**
   * @param {object} options
   * @param {import('./database.cjs').Database} options.database
   * @param {() => void} options.assertOwnership throws when another process has taken the folder
   * @param {(error: unknown) => void} options.onBroken the database cannot be trusted any longer
   * @param {number} options.idleTransactionMs
   */
  constructor({ database, assertOwnership, onBroken, idleTransactionMs }) {
    this.#database = database;
    this.#assertOwnership = assertOwnership;
    this.#onBroken = onBroken;
    this.#reaper = setInterval(() => this.#dismissSleeper(idleTransactionMs), idleTransactionMs / 10);
    this.#upkeep = setInterval(() => this.#askForUpkeep(), UPKEEP_MS);
  }

  #database;
  #assertOwnership;
  #onBroken;
  #reaper;
  #upkeep;
  #upkeepDue = false;
  #servedSinceUpkeep = false;
  /** Clients with work, in the order of their turns. @type {Set<import('./client.cjs').Client>} */
  #waiting = new Set();
  /** Departed clients whose statements are still there. @type {Set<import('./client.cjs').Client>} */
  #departed = new Set();
  /** In the middle of a transaction or a batch. @type {import('./client.cjs').Client | null} */
  #owner = null;
  /** The last one served: its unnamed statement is in place. @type {import('./client.cjs').Client | null} */
  #last = null;
  #lastServedAt = 0;
  #state = IDLE;
  #scheduled = false;
  /** Set when the database is about to close. @type {(() => void) | null} */
  #onQuiet = null;

  /** @param {import('./client.cjs').Client} client */
  offer(client) {
    this.#waiting.add(client);
    this.#schedule();
  }

  /** @param {import('./client.cjs').Client} client */
  leave(client) {
    this.#waiting.delete(client);
    this.#departed.add(client);
    this.#schedule();
  }

  /** @param {import('./client.cjs').Client} client */
  isBusyWith(client) {
    return this.#owner === client || this.#waiting.has(client);
  }

  /**
   * Dismisses each client as soon as what it has asked for is done.
   *
   * @param {number} timeoutMs
   * @returns {Promise<void>} when all is done, or the time is over
   */
  retire(timeoutMs) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onQuiet = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#schedule();
    });
  }

  stop() {
    clearInterval(this.#reaper);
    clearInterval(this.#upkeep);
    this.#scheduled = true; // no further turn
  }

  /** Each turn is an event of its own, so that sockets are read and written between them. */
  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      try {
        this.#turn();
      } catch (error) {
        this.#onBroken(error);
      }
    });
  }

  #turn() {
    this.#cleanUp();
    this.#keepUp();
    const client = this.#nextClient();
    if (client) {
      this.#waiting.delete(client);
      this.#serve(client);
      if (client.hasWork) this.#waiting.add(client);
      else if (this.#onQuiet && this.#owner !== client) client.dismiss(...SHUTDOWN);
    }
    if (this.#nextClient() || (this.#departed.size > 0 && !this.#owner)) this.#schedule();
    else if (!this.#owner) this.#onQuiet?.();
  }

  #nextClient() {
    const candidates = this.#owner ? [this.#owner] : this.#waiting;
    for (const client of candidates) if (client.hasWork) return client;
    return null;
  }

  /** @param {import('./client.cjs').Client} client */
  #serve(client) {
    const batch = client.takeBatch();
    if (batch.refused) return this.#refuse(client, batch);
    if (batch.needsUnnamed && this.#last !== client && client.statements.unnamedParse) {
      this.#runUnheard(client.statements.unnamedParse, SYNC);
    }
    this.#run(client, batch);
    if (batch.lockEffect) client.holdsSessionLock = batch.lockEffect === 'lock';
    const mayPass = batch.complete && this.#state === IDLE && !client.holdsSessionLock;
    this.#owner = mayPass ? null : client;
    this.#last = client;
    this.#lastServedAt = Date.now();
    this.#servedSinceUpkeep = true;
  }

  /**
   * @param {import('./client.cjs').Client} client
   * @param {import('./batch.cjs').Batch} batch
   */
  #run(client, batch) {
    this.#assertOwnership();
    const state = this.#database.execute(batch.bytes, (bytes) => client.send(bytes));
    if (batch.complete && state === null) throw new Error('the database did not answer');
    this.#state = state ?? this.#state;
  }

  /**
   * @param {import('./client.cjs').Client} client
   * @param {import('./batch.cjs').Batch} batch
   */
  #refuse(client, batch) {
    client.send(errorResponse('ERROR', '0A000', 'the embedded database does not support COPY FROM STDIN'));
    if (batch.complete) client.send(message('Z', Buffer.from(this.#owner ? this.#state : IDLE)));
  }

  /**
   * Runs something on nobody's behalf.
   *
   * @param {...Buffer} messages
   * @returns {Buffer} the answer
   */
  #runUnheard(...messages) {
    this.#assertOwnership();
    this.#last = null;
    /** @type {Buffer[]} */
    const answer = [];
    const state = this.#database.execute(Buffer.concat(messages), (bytes) => answer.push(bytes));
    if (state === null) throw new Error('the database did not answer');
    this.#state = state;
    return Buffer.concat(answer);
  }

  #askForUpkeep() {
    if (!this.#servedSinceUpkeep) return;
    this.#upkeepDue = true;
    this.#schedule();
  }

  #keepUp() {
    if (!this.#upkeepDue || this.#owner || this.#onQuiet) return;
    this.#upkeepDue = false;
    const idle = this.#waiting.size === 0;
    this.#servedSinceUpkeep = keepUp((...messages) => this.#runUnheard(...messages), { idle });
  }

  /** Leaves nothing behind of clients that went, in the middle of a transaction or not. */
  #cleanUp() {
    for (const client of this.#departed) {
      if (this.#owner && this.#owner !== client) continue;
      this.#departed.delete(client);
      if (this.#owner === client) this.#endTransaction();
      if (client.holdsSessionLock) this.#runUnheard(RETURN_SESSION_LOCKS);
      const closing = client.statements.closeAll();
      if (closing.length > 0) this.#runUnheard(...closing, SYNC);
    }
  }

  #endTransaction() {
    this.#owner = null;
    this.#runUnheard(SYNC); // ends a batch that was cut off
    if (this.#state !== IDLE) this.#runUnheard(ROLLBACK);
  }

  /**
   * A client that sleeps in its transaction while others wait has lost its right to the session.
   *
   * @param {number} idleTransactionMs
   */
  #dismissSleeper(idleTransactionMs) {
    if (!this.#owner || this.#owner.hasWork || this.#waiting.size === 0) return;
    if (Date.now() - this.#lastServedAt < idleTransactionMs) return;
    this.#owner.dismiss('25P03', 'terminating connection due to idle-in-transaction timeout');
    this.#owner.disconnect();
  }
}

module.exports = { SHUTDOWN, Session };
