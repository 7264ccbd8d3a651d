'use strict';

const crypto = require('node:crypto');
const { BatchBuilder } = require('./batch.cjs');
const protocol = require('./protocol.cjs');
const { Statements } = require('./statements.cjs');

const { CANCEL_REQUEST, GSSENC_REQUEST, PROTOCOL_3_0, SSL_REQUEST } = protocol;
const { MessageReader, ProtocolError, errorResponse, int32, message, readString, startupParameters, typeOf } =
  protocol;

const AUTHENTICATION_OK = 0;
const AUTHENTICATION_CLEARTEXT = 3;
const DATABASE = 'postgres';
const MOST_BYTES_WAITING = 32 * 1024 * 1024;

let lastClientNumber = 0;

/**
 * One connection to the relay: start-up, password, then batches of messages for the session.
 *
 * The password goes over the wire as it is: the socket's directory is open to its owner only, and reading
 * another user's loopback traffic takes root.
 */
class Client {
  number = ++lastClientNumber;
  statements = new Statements();
  /** Keeps the session between its transactions, see statements.cjs. */
  holdsSessionLock = false;

  /**
   * @param {import('node:net').Socket} socket
   * @param {object} context
   * @param {string} context.password
   * @param {Record<string, string>} context.parameters what the server reports of itself
   * @param {(client: Client) => void} context.onWork the client can be given a turn
   * @param {(client: Client) => void} context.onGone
   */
  constructor(socket, context) {
    this.#socket = socket;
    this.#context = context;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('drain', () => this.#offerWork());
    // A reset connection is an ended one; 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => context.onGone(this));
  }

  /** @type {import('node:net').Socket} */
  #socket;
  /** @type {ConstructorParameters<typeof Client>[1]} */
  #context;
  #reader = new MessageReader();
  #builder = new BatchBuilder(this.statements);
  /** @type {(message: Buffer) => void} */
  #handle = (startup) => this.#onStartup(startup);
  /** @type {import('./batch.cjs').Batch[]} */
  #batches = [];
  #bytesWaiting = 0;

  /** Nobody is served who does not read: what the database answers at once has to be kept in memory. */
  get hasWork() {
    return this.#batches.length > 0 && !this.#socket.writableNeedDrain && !this.#socket.destroyed;
  }

  /** @returns {import('./batch.cjs').Batch} */
  takeBatch() {
    const batch = this.#batches.shift();
    if (!batch) throw new Error('no batch is waiting');
    this.#bytesWaiting -= batch.bytes.length;
    if (this.#socket.isPaused() && this.#bytesWaiting < MOST_BYTES_WAITING) this.#socket.resume();
    return batch;
  }

  /** @param {Buffer} bytes */
  send(bytes) {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /**
   * Ends the connection, telling why.
   *
   * @param {string} code SQLSTATE
   * @param {string} text
   */
  dismiss(code, text) {
    if (this.#socket.destroyed) return;
    this.#batches = [];
    this.#handle = () => {};
    this.#socket.end(errorResponse('FATAL', code, text), () => this.#socket.destroy());
  }

  disconnect() {
    this.#socket.destroy();
  }

  /** @param {Buffer} chunk */
  #receive(chunk) {
    this.#reader.push(chunk);
    try {
      for (let next = this.#reader.next(); next; next = this.#reader.next()) this.#handle(next);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.dismiss('08P01', error.message);
    }
  }

  /** @param {Buffer} startup */
  #onStartup(startup) {
    const code = startup.length >= 8 ? startup.readInt32BE(4) : 0;
    if (code === SSL_REQUEST || code === GSSENC_REQUEST) return this.send(Buffer.from('N'));
    // A query runs to its end before its cancellation could be read.
    if (code === CANCEL_REQUEST) return this.disconnect();
    if (code !== PROTOCOL_3_0) throw new ProtocolError(`unsupported protocol ${code >> 16}.${code & 0xffff}`);

    const { database = DATABASE } = startupParameters(startup);
    if (database !== DATABASE) return this.dismiss('3D000', `database "${database}" does not exist`);
    this.#reader.expectTypedMessages();
    this.#handle = (answer) => this.#onPassword(answer);
    this.send(message('R', int32(AUTHENTICATION_CLEARTEXT)));
  }

  /** @param {Buffer} answer */
  #onPassword(answer) {
    if (typeOf(answer) !== 'p' || !isSame(readString(answer, 5)[0], this.#context.password)) {
      return this.dismiss('28P01', 'password authentication failed');
    }
    this.#handle = (query) => this.#onQuery(query);
    const parameters = Object.entries(this.#context.parameters);
    this.send(
      Buffer.concat([
        message('R', int32(AUTHENTICATION_OK)),
        ...parameters.map(([name, value]) => message('S', name, value)),
        message('K', int32(this.number, 0)),
        message('Z', Buffer.from('I')),
      ]),
    );
  }

  /** @param {Buffer} query */
  #onQuery(query) {
    if (typeOf(query) === 'X') return this.disconnect();
    const batch = this.#builder.add(query);
    if (!batch) return;
    this.#batches.push(batch);
    this.#bytesWaiting += batch.bytes.length;
    if (this.#bytesWaiting >= MOST_BYTES_WAITING) this.#socket.pause();
    this.#offerWork();
  }

  #offerWork() {
    if (this.hasWork) this.#context.onWork(this);
  }
}

/**
 * @param {string} given
 * @param {string} expected
 */
function isSame(given, expected) {
  const digest = (/** @type {string} */ text) => crypto.createHash('sha256').update(text).digest();
  return crypto.timingSafeEqual(digest(given), digest(expected));
}

module.exports = { Client };
