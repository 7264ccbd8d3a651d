'use strict';

/* The parts of the Postgres wire protocol (version 3.0) that the relay has to understand. */

const PROTOCOL_3_0 = 196608;
const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

const MEBIBYTE = 1024 * 1024;
const LONGEST_MESSAGE = 256 * MEBIBYTE;
// Postgres ends the session, here the whole database, when one of its short messages is longer.
const LONGEST_SHORT_MESSAGE = 10_000;
const LONG_TYPES = new Set(['B', 'P', 'Q', 'F', 'd']);

/** Splits what a client sends into messages. */
class MessageReader {
  /** @type {Buffer[]} */
  #chunks = [];
  #size = 0;
  #wanted = 4;
  #typed = false;

  /** The messages of the start-up carry no type byte; all later ones do. */
  expectTypedMessages() {
    this.#typed = true;
    this.#wanted = 5;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** @returns {Buffer | null} the next whole message, header included */
  next() {
    if (this.#size < this.#wanted) return null;
    const buffer = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#size);
    const length = this.#messageLength(buffer);
    this.#chunks = [buffer];
    if (this.#size < length) {
      this.#wanted = length;
      return null;
    }
    this.#wanted = this.#typed ? 5 : 4;
    this.#size -= length;
    this.#chunks = this.#size > 0 ? [buffer.subarray(length)] : [];
    return buffer.subarray(0, length);
  }

  /** @param {Buffer} buffer */
  #messageLength(buffer) {
    const typeLength = this.#typed ? 1 : 0;
    const length = buffer.readInt32BE(typeLength);
    const isLong = this.#typed && LONG_TYPES.has(typeOf(buffer));
    if (length < 4 || length > (isLong ? LONGEST_MESSAGE : LONGEST_SHORT_MESSAGE)) {
      throw new ProtocolError(`message length ${length} out of range`);
    }
    return typeLength + length;
  }
}

/** Watches what the database sends for the state it reports when it is ready for the next query. */
class ReadyScanner {
  #head = Buffer.alloc(6);
  #headLength = 0;
  #skip = 0;
  /** @type {string | null} `I` idle, `T` in a transaction, `E` in a failed one */
  state = null;

  /** @param {Uint8Array} chunk */
  push(chunk) {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - offset);
        this.#skip -= skipped;
        offset += skipped;
      } else {
        this.#head[this.#headLength++] = chunk[offset++];
        this.#readHead();
      }
    }
  }

  #readHead() {
    const isReady = this.#head[0] === 0x5a; // 'Z', whose body is one byte
    if (this.#headLength < (isReady ? 6 : 5)) return;
    if (isReady) this.state = String.fromCharCode(this.#head[5]);
    else this.#skip = this.#head.readInt32BE(1) - 4;
    this.#headLength = 0;
  }
}

/** The client does not speak the protocol. */
class ProtocolError extends Error {}

/** @param {Uint8Array} typedMessage */
function typeOf(typedMessage) {
  return String.fromCharCode(typedMessage[0]);
}

/**
 * @param {Buffer} buffer
 * @param {number} offset
 * @returns {[text: string, end: number]} a zero-terminated string and the offset behind it
 */
function readString(buffer, offset) {
  const end = buffer.indexOf(0, offset);
  if (end < 0) throw new ProtocolError('unterminated string');
  return [buffer.toString('utf8', offset, end), end + 1];
}

/**
 * @param {string} type
 * @param {...(Uint8Array | string)} parts a string is sent zero-terminated
 */
function message(type, ...parts) {
  const body = parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part));
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.reduce((sum, part) => sum + part.length, 0), 1);
  return Buffer.concat([header, ...body]);
}

/** @param {...number} values */
function int32(...values) {
  const buffer = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    buffer.writeInt32BE(value, 4 * index);
  });
  return buffer;
}

/**
 * @param {'ERROR' | 'FATAL'} severity
 * @param {string} code SQLSTATE
 * @param {string} text
 */
function errorResponse(severity, code, text) {
  return message('E', `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, Buffer.from([0]));
}

/**
 * @param {Buffer} startup an untyped start-up message
 * @returns {Record<string, string>} user, database and the like
 */
function startupParameters(startup) {
  /** @type {Record<string, string>} */
  const parameters = {};
  for (let offset = 8; offset < startup.length - 1; ) {
    const [name, valueAt] = readString(startup, offset);
    const [value, end] = readString(startup, valueAt);
    parameters[name] = value;
    offset = end;
  }
  return parameters;
}

/**
 * @param {Buffer} answer whole messages of the database
 * @returns {Generator<{ type: string, body: Buffer }>}
 */
function* messagesOf(answer) {
  for (let offset = 0; offset < answer.length; ) {
    const end = offset + 1 + answer.readInt32BE(offset + 1);
    yield { type: String.fromCharCode(answer[offset]), body: answer.subarray(offset + 5, end) };
    offset = end;
  }
}

/**
 * @param {Buffer} dataRow the body of a DataRow
 * @returns {string} its first column, which must not be null
 */
function rowText(dataRow) {
  return dataRow.toString('utf8', 6, 6 + dataRow.readInt32BE(2));
}

const SYNC = message('S');

module.exports = {
  CANCEL_REQUEST,
  GSSENC_REQUEST,
  MessageReader,
  PROTOCOL_3_0,
  ProtocolError,
  ReadyScanner,
  SSL_REQUEST,
  SYNC,
  errorResponse,
  int32,
  message,
  messagesOf,
  readString,
  rowText,
  startupParameters,
  typeOf,
};
