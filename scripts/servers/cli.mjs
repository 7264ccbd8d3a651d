#!/usr/bin/env node
// Test servers by hand: npm run servers -- [--run-dir DIR] postgres|neo4j start|stop|kill9|status|wipe|resolve
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { STEP_MARK } from '../lib/process.mjs';
import { serversDir } from './install.mjs';
import { Neo4j } from './neo4j.mjs';
import { Postgres } from './postgres.mjs';

const USAGE = 'usage: servers [--run-dir DIR] postgres|neo4j start|stop|kill9|status|wipe|resolve';
const KINDS = { postgres: Postgres, neo4j: Neo4j };
const VERBS = ['start', 'stop', 'kill9', 'status', 'wipe', 'resolve'];

async function main() {
  delete process.env[STEP_MARK]; // a server that a test starts again is no process left behind by the test
  const { values, positionals } = parseArgs({
    options: { 'run-dir': { type: 'string' } },
    allowPositionals: true,
  });
  const [kind, verb] = positionals;
  if (!Object.hasOwn(KINDS, kind ?? '') || !VERBS.includes(verb) || positionals.length > 2)
    throw new Error(USAGE);
  const server = new KINDS[kind](values['run-dir'] ?? join(serversDir(), 'run', kind));
  if (verb !== 'status') await server[verb]();
  if (verb === 'start' || verb === 'status') await report(server);
}

async function report(server) {
  const pid = await server.pid();
  if (!pid) process.exitCode = 1;
  console.log(pid ? `running, pid ${pid}` : 'stopped');
  if (pid) for (const [name, value] of Object.entries(server.environment)) console.log(`${name}=${value}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
