#!/usr/bin/env node
// Runs a command with a Postgres and a Neo4j to test against: node scripts/with-servers.mjs -- COMMAND…
// Servers named by TEST_DATABASE_URL and TEST_NEO4J_URI are used as they are; others are started and removed again.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode, signal } from './lib/process.mjs';
import { openSession } from './servers/session.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

async function main(args) {
  const command = args[0] === '--' ? args.slice(1) : args;
  if (command.length === 0) throw new Error('usage: node scripts/with-servers.mjs -- COMMAND…');
  const stop = stopRequest();
  const session = await openSession();
  try {
    return stop.signal.aborted ? stop.signal.reason : await runCommand(command, session, stop.signal);
  } finally {
    await session.close();
  }
}

/** Aborted, with the exit code as its reason, by a signal or by our parent's death. */
function stopRequest() {
  const request = new AbortController();
  for (const name of SIGNALS) process.on(name, () => request.abort(exitCode(null, name)));
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) request.abort(exitCode(null, 'SIGHUP'));
  }, 500).unref();
  return request;
}

/** The command is the leader of a process group, so that nothing it starts outlives the servers. */
function runCommand([file, ...args], session, stop) {
  return new Promise((resolve, reject) => {
    const environment = { ...process.env, ...session.environment };
    const child = spawn(file, args, { stdio: 'inherit', detached: true, env: environment });
    child.once('error', reject);
    if (child.pid) session.guard.watchGroup(child.pid);
    child.once('exit', (code, name) => resolve(stop.aborted ? stop.reason : exitCode(code, name)));
    stop.addEventListener('abort', () => endGroup(child.pid));
  });
}

async function endGroup(pid) {
  signal(-pid, 'SIGTERM');
  await sleep(5000, undefined, { ref: false });
  signal(-pid, 'SIGKILL');
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
