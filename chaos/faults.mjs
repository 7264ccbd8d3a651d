// What goes wrong during the run, each kind at its own random moments.
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from './random.mjs';

/** Milliseconds between the kills of processes. */
const PROCESS_GAP = [300, 2500];
/** Milliseconds that a server runs between its kills, and that it stays away. */
const SERVER_GAP = [6000, 16_000];
const DOWNTIME = [0, 4000];

/**
 * Until the signal aborts; every server that was killed runs again when this resolves.
 * @returns {Promise<Record<string, number>>} kills of servers by kind
 */
export async function disturb({ seed, fleet, processes, kinds, signal }) {
  const kills = Object.fromEntries(kinds.map(({ name }) => [name, 0]));
  await Promise.all([
    killProcesses(new Random(seed, 'processes'), fleet, processes, signal),
    ...kinds.map(async ({ name, server }) => {
      kills[name] = await killServer(new Random(seed, name), server, signal);
    }),
  ]);
  return kills;
}

async function killProcesses(random, fleet, processes, signal) {
  while (await pause(random.between(...PROCESS_GAP), signal)) fleet.kill(random.between(0, processes - 1));
}

async function killServer(random, server, signal) {
  let kills = 0;
  while (await pause(random.between(...SERVER_GAP), signal)) {
    await server.kill9();
    kills += 1;
    await sleep(random.between(...DOWNTIME));
    await server.start();
  }
  return kills;
}

/** Resolves to whether the run still goes on. */
async function pause(milliseconds, signal) {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
