'use strict';

const { parentPort, workerData } = require('node:worker_threads');
const { UnavailableError, cannotOpen } = require('./errors.cjs');
const { Host } = require('./host.cjs');

/**
 * The thread that hosts a database; see host-thread.cjs for its other side.
 *
 * @typedef {{ kind: 'hosting', databaseUrl: string, scratchDir: string | null }} Hosting
 * @typedef {{ kind: 'failed', message: string, cause: unknown }} Failed
 * @typedef {Hosting | Failed | { kind: 'lost' }} Outcome
 */

async function main() {
  const { folder } = workerData;
  const host = folder === null ? await Host.inMemory() : await Host.inFolder(folder);
  if (!host) return tell({ kind: 'lost' });
  // A failure here is an unhandled rejection, which the other side hears as the thread's 'error'.
  parentPort?.once('message', () => host.close().then(() => process.exit(0)));
  tell({ kind: 'hosting', databaseUrl: host.databaseUrl, scratchDir: host.scratchDir });
}

/** @param {Outcome} outcome */
function tell(outcome) {
  parentPort?.postMessage(outcome);
}

/** @param {Error} error */
function fail(error) {
  const isMeant = error instanceof UnavailableError;
  const message = isMeant ? error.message : `${cannotOpen(workerData.folder)}: ${error.message}`;
  tell({ kind: 'failed', message, cause: error.cause ?? error });
  process.exit(1);
}

main().catch(fail);
