'use strict';

const path = require('node:path');
const workerThreads = require('node:worker_threads');
const { HostThread } = require('../embedded/host-thread.cjs');
const { UnavailableError, cannotOpen } = require('../embedded/errors.cjs');
const { run } = require('./query.cjs');
const { RESET } = require('./reset.cjs');

const KEY = Symbol.for('izzie-memory/testing/1');

/**
 * The embedded databases of this thread that nobody uses, by their URLs. They lie on a module of Node's own, the one
 * thing that jest gives all test files alike: each file has its own globalThis and its own copy of this module.
 *
 * @type {string[]}
 */
const free = workerThreads[KEY] ?? [];
workerThreads[KEY] = free;

/** One that is being made for whoever comes next. @type {Promise<void> | null} */
let spare = null;

/**
 * An empty, migrated database of the caller's alone. A second one is made in the background, for starting one takes
 * a second or two.
 *
 * @returns {Promise<string>} its URL
 */
async function take() {
  if (free.length === 0 && spare) await keepingAlive(spare);
  const url = free.pop() ?? (await make({ keepAlive: true }));
  if (free.length === 0) prepareSpare();
  return url;
}

/**
 * The spare by itself keeps no process alive; somebody who waits for it must.
 *
 * @param {Promise<void>} promise
 */
async function keepingAlive(promise) {
  const timer = setInterval(() => {}, 1000);
  try {
    await promise;
  } finally {
    clearInterval(timer);
  }
}

/**
 * @param {string} url of {@link take}, on which nothing runs any longer
 */
async function giveBack(url) {
  await run(url, RESET);
  free.push(url);
}

function prepareSpare() {
  // A failure is not lost: the next one who finds none makes one, and is told.
  spare ??= make({ keepAlive: false })
    .then(
      (url) => void free.push(url),
      () => {},
    )
    .finally(() => {
      spare = null;
    });
}

/**
 * It lives as long as this thread.
 *
 * @param {{ keepAlive: boolean }} options keepAlive: the process must not exit before it is there
 */
async function make({ keepAlive }) {
  const script = path.join(__dirname, 'worker.cjs');
  const host = await HostThread.start(null, { keepAlive, script });
  if (!host) throw new UnavailableError(cannotOpen(null));
  return host.databaseUrl;
}

module.exports = { giveBack, take };
