'use strict';

// A worker thread that stores what it is told and answers with how it went.
const { parentPort } = require('node:worker_threads');
const { enhancedMemoryService, shutdown } = require('izzie-memory');

parentPort.on('message', async (message) => {
  if (message === 'shutdown') {
    await shutdown();
    parentPort.postMessage('closed');
    return;
  }
  const stored = await enhancedMemoryService
    .store({ userId: 'worker', content: message })
    .catch((error) => error);
  parentPort.postMessage(stored instanceof Error ? `${stored.reason}: ${stored.message}` : 'stored');
});
