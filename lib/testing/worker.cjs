'use strict';

const { parentPort } = require('node:worker_threads');
const { cannotOpen } = require('../embedded/errors.cjs');
const { Host } = require('../embedded/host.cjs');
const { createLayer } = require('./layer.cjs');
const { run } = require('./query.cjs');
const { REMEMBER } = require('./reset.cjs');

/*
 * The thread that hosts a database for tests; see ../embedded/host-thread.cjs for its other side. It migrates it, too:
 * a spare is made while tests go on and end, and under jest a test file that has ended cannot load anything any more.
 */

async function main() {
  const host = await Host.inMemory();
  const { databaseUrl, scratchDir } = host;
  const layer = createLayer(databaseUrl, {});
  try {
    await layer.migrate();
  } finally {
    await layer.close();
  }
  await run(databaseUrl, REMEMBER);
  parentPort?.postMessage({ kind: 'hosting', databaseUrl, scratchDir });
}

main().catch((error) => {
  parentPort?.postMessage({ kind: 'failed', message: `${cannotOpen(null)}: ${error.message}`, cause: error });
  process.exit(1);
});
