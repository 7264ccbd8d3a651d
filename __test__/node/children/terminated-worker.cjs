'use strict';

// Ends a worker thread in the middle of its calls; the process must live on, use the package, and end.
const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { enhancedMemoryService } = require('izzie-memory');

async function main() {
  for (let round = 0; round < 5; round += 1) {
    const worker = new Worker(path.join(__dirname, 'worker.cjs'));
    worker.postMessage('first');
    await once(worker, 'message');
    for (let number = 0; number < 50; number += 1) worker.postMessage(`number ${number}`);
    await once(worker, 'message');
    await worker.terminate();
  }
  await enhancedMemoryService.store({ userId: 'after', content: 'still alive' });
  const { total } = await enhancedMemoryService.getStats('after');
  console.log(JSON.stringify({ total }));
}

main();
