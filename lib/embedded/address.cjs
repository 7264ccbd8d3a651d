'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { listen } = require('./listen.cjs');

/**
 * Where clients find the database. It belongs to the folder, not to the process that serves it: the next
 * host binds the same address, so every pool reconnects by itself.
 *
 * @typedef {{ socketDir: string } | { port: number }} Address
 */

const ON_WINDOWS = process.platform === 'win32';
const LOOPBACK = '127.0.0.1';
const PORT_IN_SOCKET_NAME = 5432;
const SOCKET_NAME = `.s.PGSQL.${PORT_IN_SOCKET_NAME}`;
// sockaddr_un holds 104 bytes on macOS and 108 on Linux; the directory's own name and the longest file name
// in it take some 50.
const LONGEST_TMPDIR = 52;

/**
 * @param {string} folder the real path of the database folder
 * @returns {Address}
 */
function defaultAddress(folder) {
  if (ON_WINDOWS) return { port: 0 };
  const hash = crypto.createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return { socketDir: path.join(shortTmpdir(), `izzie-${hash}`) };
}

/**
 * @param {string} folder
 * @param {Address | undefined} previous where the last host was
 * @returns {Promise<Address>} the same if possible, for other processes have connection pools for it
 */
async function usableAddress(folder, previous) {
  const preferred = previous ?? defaultAddress(folder);
  return (await isUsable(preferred)) ? preferred : await privateAddress();
}

/** @returns {Promise<Address>} an address nobody else has */
async function privateAddress() {
  if (ON_WINDOWS) return { port: await freePort() };
  return { socketDir: fs.mkdtempSync(path.join(shortTmpdir(), 'izzie-')) };
}

/** @param {Address} address */
async function isUsable(address) {
  return 'port' in address ? await canListenOn(address.port) : isPrivateDirectory(address.socketDir);
}

function shortTmpdir() {
  const dir = os.tmpdir();
  return Buffer.byteLength(dir) <= LONGEST_TMPDIR ? dir : '/tmp';
}

/**
 * The name of the sockets' directory can be guessed, and the one above it is open to every user of the
 * machine: it must be ours and closed to all others.
 *
 * @param {string} directory created if missing
 */
function isPrivateDirectory(directory) {
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch {
    return false; // a file, or where we may not write: another one is used
  }
  const stat = fs.lstatSync(directory);
  return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}

/** @param {number} port 0 stands for none yet */
async function canListenOn(port) {
  if (port === 0) return false;
  const server = net.createServer();
  try {
    await listen(server, { host: LOOPBACK, port, exclusive: true });
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function freePort() {
  const server = net.createServer();
  await listen(server, { host: LOOPBACK, port: 0, exclusive: true });
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * @param {Address} address
 * @param {string} password
 */
function databaseUrl(address, password) {
  const user = `izzie:${password}`;
  if ('port' in address) return `postgres://${user}@${LOOPBACK}:${address.port}/postgres?sslmode=disable`;
  // The port is spelled out because clients otherwise take it from PGPORT, and it is part of the file's name.
  const host = encodeURIComponent(address.socketDir);
  return `postgres://${user}@localhost:${PORT_IN_SOCKET_NAME}/postgres?host=${host}&sslmode=disable`;
}

module.exports = { LOOPBACK, ON_WINDOWS, SOCKET_NAME, databaseUrl, privateAddress, usableAddress };
