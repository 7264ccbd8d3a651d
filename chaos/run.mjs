#!/usr/bin/env node
// Random writes from many processes while processes and servers are killed, then a look whether anything got lost:
// npm run chaos -- [--seconds 300] [--processes 8] [--graph neo4j|postgres] [--seed TEXT] [--json]
// Ends with 1 if an acknowledged write is lost, the graph diverges from Postgres, or something fails that should not.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createMemoryLayer } from 'izzie-memory';
import { converge } from './converge.mjs';
import { disturb } from './faults.mjs';
import { figuresOf, passed, print, unexpectedErrors } from './figures.mjs';
import { Fleet } from './fleet.mjs';
import { readCalls } from './journal.mjs';
import { startServers } from './servers.mjs';
import { snapshot } from './snapshot.mjs';
import { verify } from './verify.mjs';

/** Short waits, so that many things happen in a short time. */
const PERSISTENCE = { enableAutoSync: true, syncIntervalMs: 2000, retryDelayMs: 100, graphWaitMs: 300 };

function options() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '300' },
      processes: { type: 'string', default: '8' },
      graph: { type: 'string', default: 'neo4j' },
      seed: { type: 'string', default: randomBytes(4).toString('hex') },
      json: { type: 'boolean', default: false },
    },
  });
  const { seconds, processes, graph, seed, json } = values;
  if (!['neo4j', 'postgres'].includes(graph)) throw new Error('--graph takes neo4j or postgres');
  if (!(Number(seconds) > 0)) throw new Error('--seconds takes a number above 0');
  if (!(Number(processes) >= 1)) throw new Error('--processes takes a number from 1');
  return { seconds: Number(seconds), processes: Number(processes), graph, seed, json };
}

async function main() {
  const wanted = options();
  console.error(`seed ${wanted.seed}: ${wanted.processes} processes for ${wanted.seconds} s`);
  const journals = mkdtempSync(join(tmpdir(), 'izzie-memory-journals-'));
  const servers = await startServers(wanted.graph);
  try {
    await migrate(servers.layer);
    const outcome = await judge(wanted, servers, await disturbedRun(wanted, servers, journals));
    if (outcome === 0) rmSync(journals, { recursive: true });
    else console.error(`the journals are in ${journals}`);
    return outcome;
  } finally {
    await servers.close();
  }
}

async function migrate(settings) {
  const layer = createMemoryLayer(settings);
  await layer.migrate();
  await layer.close();
}

async function disturbedRun({ seed, seconds, processes }, { kinds, layer }, folder) {
  const run = { seed, startedAt: Date.now() };
  const settings = { ...layer, embedder: 'none', extractor: 'none', persistence: PERSISTENCE };
  const fleet = new Fleet({ processes, folder, run, layer: settings });
  const end = new AbortController();
  try {
    const disturbance = disturb({ seed, fleet, processes, kinds, signal: end.signal });
    await Promise.race([sleep(seconds * 1000, undefined, { ref: false }), disturbance]);
    end.abort();
    const kills = { process: fleet.kills, ...(await disturbance) };
    await fleet.stop();
    return { kills, processFaults: fleet.faults, calls: fleet.journals.flatMap(readCalls) };
  } finally {
    await fleet.stop();
  }
}

async function judge(wanted, { layer }, { kills, processFaults, calls }) {
  const convergence = await converge(layer);
  const { rows, graph } = await snapshot(layer);
  const problems = verify(calls, rows, graph);
  const faults = [...processFaults, ...unexpectedErrors(calls)];
  if (convergence.failure) faults.push(`it did not converge: ${convergence.failure}`);
  const figures = figuresOf({ options: wanted, calls, kills, faults, convergence, problems, rows });
  if (wanted.json) console.log(JSON.stringify({ ...figures, passed: passed(figures), problems, faults }));
  else print(figures, problems, faults);
  return passed(figures) ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
