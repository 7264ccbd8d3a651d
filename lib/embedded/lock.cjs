'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { UnavailableError, codeOf } = require('./errors.cjs');
const { removeFile } = require('./listen.cjs');

/*
 * Who hosts the folder. Lock files are numbered: `lock.7` names the seventh host, and the highest number
 * counts. A process that finds that host dead claims the folder by creating `lock.8`, which the file system
 * grants to one process only. The file that counts is never removed or overwritten, so there is no moment in
 * which two contenders can each mistake the other's fresh lock for the stale one.
 */

/**
 * @typedef {object} LockContent
 * @property {string} id of this host: a host is one worker thread, a process may be several in its life
 * @property {number} pid
 * @property {string} processStart tells the process from a later one with the same pid; '' if unknown
 * @property {string} machine names host, boot and pid namespace: where the pid means something
 * @property {string} startedAt
 * @property {import('./address.cjs').Address} address
 * @property {string} password
 *
 * @typedef {LockContent & { generation: number, file: string }} Lock
 */

const LOCK_NAME = /^lock\.(\d+)$/;

/**
 * @param {string} folder
 * @returns {number[]} in ascending order
 */
function generations(folder) {
  const numbers = namesIn(folder).map((name) => Number(LOCK_NAME.exec(name)?.[1] ?? Number.NaN));
  return numbers.filter(Number.isSafeInteger).sort((a, b) => a - b);
}

/**
 * @param {string} folder
 * @returns {string[]} none if somebody has deleted it
 */
function namesIn(folder) {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * @param {string} folder
 * @param {number} generation
 */
function lockFile(folder, generation) {
  return path.join(folder, `lock.${generation}`);
}

/**
 * @param {string} folder
 * @returns {Lock | null} the lock that counts, `null` in a new folder
 */
function currentLock(folder) {
  for (;;) {
    const generation = generations(folder).at(-1);
    if (generation === undefined) return null;
    const lock = readLock(folder, generation);
    // Gone between the listing and the reading: a later one exists.
    if (lock) return lock;
  }
}

/**
 * @param {string} folder
 * @param {number} generation
 * @returns {Lock | null}
 */
function readLock(folder, generation) {
  const file = lockFile(folder, generation);
  try {
    return { ...JSON.parse(fs.readFileSync(file, 'utf8')), generation, file };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new UnavailableError(
      `cannot read ${file}: stop all processes that use the folder and delete it`,
      error,
    );
  }
}

/**
 * @param {string} folder
 * @param {number} generation one above the lock whose host was found dead
 * @param {LockContent} content
 * @returns {boolean} false when another process was faster
 */
function claim(folder, generation, content) {
  const temporary = path.join(folder, `.claim-${content.id}`);
  const file = lockFile(folder, generation);
  try {
    fs.writeFileSync(temporary, JSON.stringify(content), { mode: 0o600, flag: 'wx', flush: true });
    // A link appears at once and with its whole content, or not at all.
    fs.linkSync(temporary, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    const hint = 'it must exist, be writable and lie on a local disk';
    throw new UnavailableError(`cannot lock ${folder} (${codeOf(error)}): ${hint}`, error);
  } finally {
    removeFile(temporary);
  }
  // A contender that slept since it looked may have created a number that others passed long ago.
  if (generations(folder).at(-1) === generation) return true;
  removeFile(file);
  return false;
}

/**
 * @param {Lock} lock
 * @returns {boolean} whether its host owns the folder: nobody has succeeded it, or deleted the folder
 */
function isOwned(lock) {
  const successor = lockFile(path.dirname(lock.file), lock.generation + 1);
  return fs.existsSync(lock.file) && !fs.existsSync(successor);
}

/**
 * @param {Lock} lock the caller's own
 * @returns {Lock[]} locks that no longer count. The direct predecessor is kept: a listing that runs beside
 *   a claim may miss the newest file, and must then find one that counts as dead.
 */
function outdatedLocks(lock) {
  const folder = path.dirname(lock.file);
  const old = generations(folder).filter((generation) => generation < lock.generation - 1);
  return old.map((generation) => readLock(folder, generation)).filter((found) => found !== null);
}

module.exports = { claim, currentLock, isOwned, outdatedLocks };
