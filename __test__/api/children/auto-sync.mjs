// A process with auto-sync: run by child.mjs with the name of a script and the layer's configuration.
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryLayer } from 'izzie-memory';

const [, , script, config] = process.argv;
const configuration = JSON.parse(config);
const stayAlive = () => setInterval(() => {}, 1000);

async function start() {
  const layer = createMemoryLayer(configuration);
  await layer.sync.startAutoSync();
  return layer;
}

const SCRIPTS = {
  async started() {
    stayAlive();
    await start();
    console.log('running');
  },

  async configured() {
    stayAlive();
    const layer = createMemoryLayer({ ...configuration, persistence: { enableAutoSync: true } });
    await layer.memory.getStats('ada');
    console.log('running');
  },

  async ends() {
    await start();
  },

  async listens() {
    stayAlive();
    process.once('SIGTERM', async () => {
      await sleep(500);
      process.exit(7);
    });
    await start();
    console.log('running');
  },
};

await SCRIPTS[script]();
