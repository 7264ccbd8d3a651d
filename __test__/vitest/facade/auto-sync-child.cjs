'use strict';

// What a process with auto-sync does: run by exit-signals.test.mjs with the name of a script.
const { once } = require('node:events');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { loadFacade, rejection, reloadFacade } = require('./fake-native.cjs');

const URL = 'postgres://db';
const say = (line) => process.stdout.write(`${line}\n`);
const send = (signal) => say(`send ${signal}`);
const sayListeners = () => say(`${process.listenerCount('SIGTERM')} ${process.listenerCount('SIGINT')}`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Stopping takes a moment, as it does in the addon. */
async function stops({ op }) {
  if (op === 'stopAutoSync') {
    await sleep(50);
    say('stopped');
  }
  return {};
}

async function neverStops({ op }) {
  if (op === 'stopAutoSync') {
    say('stopping');
    await new Promise(() => {});
  }
  return {};
}

async function start(answer = async () => ({})) {
  const layer = loadFacade({ answer }).createMemoryLayer({ databaseUrl: URL });
  await layer.sync.startAutoSync();
  return layer;
}

/** Keeps the process from ending by itself. */
const stayAlive = () => setInterval(() => {}, 1000);

const SCRIPTS = {
  async 'by-hand'() {
    stayAlive();
    await start(stops);
    send('SIGTERM');
  },

  async 'by-config'() {
    stayAlive();
    const { createMemoryLayer, configure, PersistenceService } = loadFacade({ answer: stops });
    const enabled = { databaseUrl: URL, persistence: { enableAutoSync: true } };
    await createMemoryLayer(enabled).memory.getStats('ada');
    await configure({ databaseUrl: URL });
    await new PersistenceService({ enableAutoSync: true }).getHealth();
    send('SIGINT');
  },

  async 'two-copies'() {
    stayAlive();
    const first = loadFacade({ answer: stops });
    await first.createMemoryLayer({ databaseUrl: URL }).sync.startAutoSync();
    await reloadFacade(first.fake).createMemoryLayer({ databaseUrl: URL }).sync.startAutoSync();
    send('SIGTERM');
  },

  async 'own-listener'() {
    stayAlive();
    process.once('SIGTERM', async () => {
      say('own');
      await sleep(200);
      process.exit(7);
    });
    await start(stops);
    send('SIGTERM');
  },

  async impatient() {
    stayAlive();
    await start((request) => {
      const stopping = neverStops(request);
      if (request.op === 'stopAutoSync') send('SIGTERM');
      return stopping;
    });
    send('SIGTERM');
  },

  async hanging() {
    await start(neverStops);
    stayAlive();
    send('SIGTERM');
  },

  async idle() {
    await loadFacade().createMemoryLayer({ databaseUrl: URL }).memory.getStats('ada');
    sayListeners();
  },

  async stopped() {
    const { sync } = await start();
    await sync.stopAutoSync();
    sayListeners();
  },

  async 'stopped-then-called'() {
    const persistence = { enableAutoSync: true };
    const { memory, sync } = loadFacade().createMemoryLayer({ databaseUrl: URL, persistence });
    await memory.getStats('ada');
    await sync.stopAutoSync();
    await memory.getStats('ada');
    sayListeners();
  },

  async closed() {
    const layer = await start();
    await layer.close();
    sayListeners();
  },

  async worker() {
    const worker = new Worker(__filename, { workerData: 'running' });
    await once(worker, 'exit');
  },

  async failed() {
    const answer = () => {
      throw rejection('SyncError', 'NOT_CONFIGURED');
    };
    await start(answer).catch(() => sayListeners());
  },

  async running() {
    await start();
    sayListeners();
  },
};

SCRIPTS[isMainThread ? process.argv[2] : workerData]();
