'use strict';

const net = require('node:net');
const path = require('node:path');
const { LOOPBACK, SOCKET_NAME } = require('./address.cjs');
const { Client } = require('./client.cjs');
const { listen, listenOnSocketFile } = require('./listen.cjs');
const { SHUTDOWN, Session } = require('./session.cjs');

const IDLE_TRANSACTION_MS = 30_000;

/** Serves the embedded database to any number of clients, as a Postgres server would. */
class Relay {
  /**
   * @param {object} options
   * @param {import('./database.cjs').Database} options.database
   * @param {string} options.password
   * @param {string} options.version
   * @param {() => void} options.assertOwnership
   * @param {(error: unknown) => void} options.onBroken
   * @param {number} [options.idleTransactionMs]
   */
  constructor({
    database,
    password,
    version,
    assertOwnership,
    onBroken,
    idleTransactionMs = IDLE_TRANSACTION_MS,
  }) {
    this.#session = new Session({ database, assertOwnership, onBroken, idleTransactionMs });
    const context = {
      password,
      parameters: reportedParameters(version),
      onWork: (/** @type {Client} */ client) => this.#session.offer(client),
      onGone: (/** @type {Client} */ client) => this.#onGone(client),
    };
    this.#server = net.createServer((socket) => this.#clients.add(new Client(socket, context)));
  }

  #server;
  #session;
  /** @type {Set<Client>} */
  #clients = new Set();

  /** @param {import('./address.cjs').Address} address */
  async listen(address) {
    if ('port' in address)
      await listen(this.#server, { host: LOOPBACK, port: address.port, exclusive: true });
    else await listenOnSocketFile(this.#server, path.join(address.socketDir, SOCKET_NAME));
  }

  /**
   * Lets running transactions end and sends everybody away.
   *
   * @param {number} timeoutMs
   */
  async close(timeoutMs) {
    this.#server.close();
    for (const client of this.#clients) if (!this.#session.isBusyWith(client)) client.dismiss(...SHUTDOWN);
    await this.#session.retire(timeoutMs);
    this.#session.stop();
    for (const client of this.#clients) client.dismiss(...SHUTDOWN);
  }

  /** @param {Client} client */
  #onGone(client) {
    this.#clients.delete(client);
    this.#session.leave(client);
  }
}

/**
 * What clients are told at the start: the values PGlite runs with, and what drivers set anyway.
 *
 * @param {string} version
 * @returns {Record<string, string>}
 */
function reportedParameters(version) {
  return {
    server_version: version,
    server_encoding: 'UTF8',
    client_encoding: 'UTF8',
    DateStyle: 'ISO, MDY',
    IntervalStyle: 'postgres',
    TimeZone: 'UTC',
    integer_datetimes: 'on',
    standard_conforming_strings: 'on',
  };
}

module.exports = { Relay };
