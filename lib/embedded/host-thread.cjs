'use strict';

const fs = require('node:fs');
const path = require('node:path');
const threads = require('node:worker_threads');
const { UnavailableError, cannotOpen } = require('./errors.cjs');

/** The worker thread that hosts a database, seen from the thread that uses it. */
class HostThread {
  /**
   * @param {string | null} folder `null` for a database in memory
   * @param {{ keepAlive: boolean, script?: string }} options keepAlive: the process must not exit before the outcome
   *   is known; script: what the thread runs instead of worker.cjs
   * @returns {Promise<HostThread | null>} `null` when another process hosts the folder
   */
  static start(folder, { keepAlive, script = path.join(__dirname, 'worker.cjs') }) {
    // Options of the parent's Node (loaders, an inspector port) are not meant for this thread.
    const worker = startThread(script, { workerData: { folder }, execArgv: [] });
    if (!keepAlive) worker.unref();
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => reject(new UnavailableError(cannotOpen(folder))));
      worker.once('message', (/** @type {import('./worker.cjs').Outcome} */ outcome) => {
        if (outcome.kind === 'failed') reject(new UnavailableError(outcome.message, outcome.cause));
        else resolve(outcome.kind === 'hosting' ? new HostThread(worker, outcome) : null);
      });
    });
  }

  /**
   * @param {threads.Worker} worker
   * @param {import('./worker.cjs').Hosting} hosting
   */
  constructor(worker, { databaseUrl, scratchDir }) {
    this.databaseUrl = databaseUrl;
    this.#scratchDir = scratchDir;
    if (scratchDir) process.once('exit', this.#removeScratchDir);
    this.#worker = worker;
    this.ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('error', (error) => process.emitWarning(error)); // 'exit' follows
    worker.unref();
  }

  #worker;
  #scratchDir;
  /** @type {Promise<void>} */
  ended;

  async close() {
    this.#worker.ref();
    this.#worker.postMessage('close');
    await this.ended;
    process.off('exit', this.#removeScratchDir);
    this.#removeScratchDir();
  }

  #removeScratchDir = () => {
    if (this.#scratchDir) fs.rmSync(this.#scratchDir, { recursive: true, force: true });
  };
}

/**
 * Turbopack takes `new Worker(…)` for an entry of its own, and up to Next.js 16.1 panics on it before it gets to the
 * sentence that says why this package cannot be bundled.
 *
 * @param {string} script
 * @param {threads.WorkerOptions} options
 * @returns {threads.Worker}
 */
function startThread(script, options) {
  return Reflect.construct(threads.Worker, [script, options]);
}

module.exports = { HostThread };
