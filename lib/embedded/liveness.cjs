'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const { codeOf } = require('./errors.cjs');
const { feelPulse, pulsePath } = require('./pulse.cjs');

const HEARTBEAT_MS = 5_000;
const HEARTBEATS_MISSED_MS = 6 * HEARTBEAT_MS;

/** Where this process runs: a pid seen from another machine or container means another process. */
function machineIdentity() {
  return [os.hostname(), readOrEmpty('/proc/sys/kernel/random/boot_id'), pidNamespace()].join(' ');
}

function pidNamespace() {
  try {
    return fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    return ''; // not Linux
  }
}

/** @param {string} file */
function readOrEmpty(file) {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/**
 * @param {number} pid
 * @returns {string} when that process started, in whatever form the system tells it; '' if it does not
 */
function processStart(pid) {
  if (process.platform === 'linux') {
    // The name in parentheses may hold anything; field 22 is the 20th after it.
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  }
  if (process.platform === 'win32') return '';
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** @param {number} pid */
function processExists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Whether the host of a lock may still touch the data. Its pulse decides. Only where the pulse's file has
 * vanished (a cleaned temporary directory, another container) do pid and heartbeat have to stand in.
 *
 * @param {import('./lock.cjs').Lock} lock
 */
async function isAlive(lock) {
  const pulse = await feelPulse(pulsePath(lock.address, lock.id));
  if (pulse !== 'missing') return pulse === 'alive';
  if (lock.machine === machineIdentity() && !isSameProcessStill(lock)) return false;
  return millisecondsSinceHeartbeat(lock) < HEARTBEATS_MISSED_MS;
}

/** @param {import('./lock.cjs').Lock} lock */
function isSameProcessStill({ pid, processStart: start }) {
  return processExists(pid) && processStart(pid) === start;
}

/** @param {import('./lock.cjs').Lock} lock */
function millisecondsSinceHeartbeat({ file }) {
  const modified = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  // No file: a later host cleaned it up.
  return modified === undefined ? Number.POSITIVE_INFINITY : Date.now() - modified;
}

/** @param {import('./lock.cjs').Lock} lock */
function beat({ file }) {
  const now = new Date();
  fs.utimesSync(file, now, now);
}

/**
 * Says of a host that it has ended, to those who cannot feel its pulse.
 *
 * @param {import('./lock.cjs').Lock} lock
 */
function endHeartbeat({ file }) {
  fs.utimesSync(file, 0, 0);
}

module.exports = { HEARTBEAT_MS, beat, endHeartbeat, isAlive, machineIdentity, processStart };
