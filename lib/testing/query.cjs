'use strict';

const net = require('node:net');
const path = require('node:path');
const { SOCKET_NAME } = require('../embedded/address.cjs');
const { MessageReader, PROTOCOL_3_0, int32, message, typeOf } = require('../embedded/protocol.cjs');

/**
 * Runs SQL that answers nothing, on a connection of its own to an embedded database.
 *
 * @param {string} databaseUrl
 * @param {string} sql
 * @returns {Promise<void>}
 */
function run(databaseUrl, sql) {
  const url = new URL(databaseUrl);
  const socket = connect(url);
  const reader = new MessageReader();
  reader.expectTypedMessages();
  const startup = Buffer.concat([int32(PROTOCOL_3_0), Buffer.from(`user\0${url.username}\0\0`)]);
  socket.write(Buffer.concat([int32(4 + startup.length), startup, message('p', url.password)]));
  /** @type {Error | undefined} */
  let failure;
  let asked = false;
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(failure ?? new Error('the embedded database closed the connection')));
    socket.on('data', (chunk) => {
      reader.push(chunk);
      for (let next = reader.next(); next; next = reader.next()) {
        if (typeOf(next) === 'E') failure ??= new Error(next.toString('utf8', 5).replaceAll('\0', ' '));
        if (typeOf(next) !== 'Z') continue;
        if (asked) {
          socket.end(message('X'));
          return failure ? reject(failure) : resolve();
        }
        asked = true;
        socket.write(message('Q', sql));
      }
    });
  });
}

/** @param {URL} url */
function connect(url) {
  const folder = url.searchParams.get('host');
  if (folder) return net.connect(path.join(folder, SOCKET_NAME));
  return net.connect(Number(url.port), url.hostname);
}

module.exports = { run };
