// Runs in a worker thread: becomes host there, as a test runner's thread would.
const { parentPort, workerData } = require('node:worker_threads');
const { openEmbedded } = require('../../../lib/embedded/index.cjs');

openEmbedded({ folder: workerData }).then(({ role, databaseUrl }) => {
  parentPort.postMessage({ role, databaseUrl });
  parentPort.on('message', () => {}); // stays until it is terminated
});
