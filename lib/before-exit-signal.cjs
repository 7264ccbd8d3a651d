'use strict';

const { isMainThread } = require('node:worker_threads');

const SIGNALS = /** @type {const} */ (['SIGTERM', 'SIGINT']);
const MAX_WAIT_MS = 5000;

/** Marks our listeners, those of other copies of this module too: they are not somebody else's shutdown. */
const OURS = Symbol.for('izzie-memory/signal-listener');

/**
 * What must stop before a signal ends the process: shared by all copies of this module, so that none ends the process
 * while another still stops.
 */
const KEY = Symbol.for('izzie-memory/signals/1');
globalThis[KEY] ??= { stops: new Set(), listener: null };
/** @type {{ stops: Set<() => Promise<void>>, listener: NodeJS.SignalsListener | null }} */
const state = globalThis[KEY];

/**
 * Has SIGTERM and SIGINT wait, 5 s at most, until `stop` is done. Then the signal takes its course: where the program
 * listens for it, the program ends the process, else the signal does. A second signal does not wait. Listening for
 * signals keeps no process alive. Worker threads get no signals.
 *
 * @param {() => Promise<void>} stop
 * @returns {() => void} takes it back
 */
function beforeExitSignal(stop) {
  if (!isMainThread) return () => {};
  state.stops.add(stop);
  listen();
  return () => {
    state.stops.delete(stop);
    if (state.stops.size === 0) unlisten();
  };
}

function listen() {
  if (state.listener) return;
  state.listener = onSignal;
  // First, so that it still sees the listeners that are there for one time.
  for (const signal of SIGNALS) process.prependListener(signal, state.listener);
}

function unlisten() {
  if (!state.listener) return;
  for (const signal of SIGNALS) process.removeListener(signal, state.listener);
  state.listener = null;
}

Object.defineProperty(onSignal, OURS, { value: true });

/** @param {NodeJS.Signals} signal */
async function onSignal(signal) {
  const listeners = /** @type {any[]} */ (process.listeners(signal));
  const isAnswered = listeners.some((listener) => !listener[OURS]);
  unlisten();
  await stopAll();
  if (!isAnswered) process.kill(process.pid, signal);
}

/** What does not stop in time, or fails to, holds leases that run out. */
async function stopAll() {
  const stops = [...state.stops];
  state.stops.clear();
  let timer;
  const tooLate = new Promise((resolve) => {
    timer = setTimeout(resolve, MAX_WAIT_MS);
  });
  await Promise.race([Promise.allSettled(stops.map((stop) => stop())), tooLate]);
  clearTimeout(timer);
}

module.exports = { beforeExitSignal };
