// Removes a run's servers when the run is over, however it ended: a process of its own that waits for the end of its
// standard input, which comes even when the run is killed.
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { signal } from '../lib/process.mjs';
import { Neo4j } from './neo4j.mjs';
import { Postgres } from './postgres.mjs';

const SELF = fileURLToPath(import.meta.url);

/** The run's end of the guard. */
export class Guard {
  constructor(runDir) {
    this.runDir = runDir;
    // A session of its own: signals to the terminal's process group do not reach it.
    this.child = spawn(process.execPath, [SELF, runDir], {
      detached: true,
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    this.ended = new Promise((done) => this.child.once('exit', done));
    this.child.stdin.on('error', () => {}); // it died: close() cleans up in its place
  }

  /** The process group of this child is ended too, before the servers are. */
  watchGroup(pid) {
    this.child.stdin.write(`${pid}\n`);
  }

  async close() {
    this.child.stdin.end();
    await this.ended;
    if (existsSync(this.runDir)) await removeRun(this.runDir);
  }
}

async function removeRun(runDir) {
  await Promise.all([new Postgres(join(runDir, 'postgres')).wipe(), new Neo4j(join(runDir, 'neo4j')).wipe()]);
  rmSync(runDir, { recursive: true, force: true, maxRetries: 5 });
}

async function guard(runDir) {
  const groups = [];
  for await (const line of createInterface({ input: process.stdin })) groups.push(Number(line));
  for (const group of groups) signal(-group, 'SIGKILL');
  await removeRun(runDir);
}

if (process.argv[1] === SELF) await guard(process.argv[2]);
