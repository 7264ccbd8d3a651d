'use strict';

const fs = require('node:fs');
const { codeOf } = require('./errors.cjs');

/**
 * Binds a server, resolving once it listens.
 *
 * @param {import('node:net').Server} server
 * @param {import('node:net').ListenOptions} options
 * @returns {Promise<void>}
 */
function listen(server, options) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Binds a Unix socket under a temporary name and moves it into place. So the new socket replaces a dead one
 * in one step, and nothing removes the file when this process ends: whoever connects to a dead socket gets
 * ECONNREFUSED, which database drivers retry, and not ENOENT, which they don't.
 *
 * @param {import('node:net').Server} server
 * @param {string} file
 */
async function listenOnSocketFile(server, file) {
  const temporary = `${file}.${process.pid}`;
  removeFile(temporary);
  await listen(server, { path: temporary });
  fs.renameSync(temporary, file);
}

/** @param {string} file */
function removeFile(file) {
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

module.exports = { listen, listenOnSocketFile, removeFile };
