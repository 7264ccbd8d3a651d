// Temporary folders, child processes and clients for the tests of the embedded database.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach } from 'vitest';

/** For what takes a second or two on a machine with nothing else to do. */
export const PATIENCE_MS = 90_000;

/** Undone after each test, last one first. */
const leftovers = [];

afterEach(async () => {
  for (const undo of leftovers.splice(0).reverse()) await undo();
});

export function afterThisTest(undo) {
  leftovers.push(undo);
}

/** A folder of this test's own, not yet created. It goes with its sockets. */
export function temporaryFolder() {
  const parent = mkdtempSync(join(tmpdir(), 'test-embedded-'));
  const folder = join(parent, '.izzie-memory');
  afterThisTest(() => {
    for (const { address } of locks(folder)) rmSync(address.socketDir, { recursive: true, force: true });
    rmSync(parent, { recursive: true, force: true });
  });
  return folder;
}

/** The same with a database in it already, which saves the seconds of its creation. */
export function folderWithDatabase() {
  const folder = temporaryFolder();
  cpSync(process.env.EMBEDDED_TEMPLATE, join(folder, 'data'), { recursive: true });
  return folder;
}

/** The folder's lock files, oldest first. */
export function locks(folder) {
  let names = [];
  try {
    names = readdirSync(folder).filter((name) => /^lock\.\d+$/.test(name));
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(error.code)) throw error;
  }
  const generation = (name) => Number(name.slice('lock.'.length));
  names.sort((a, b) => generation(a) - generation(b));
  return names.map((name) => ({
    name,
    file: join(folder, name),
    ...JSON.parse(readFileSync(join(folder, name), 'utf8')),
  }));
}

export async function connected(databaseUrl) {
  const client = new pg.Client(databaseUrl);
  client.on('error', () => {}); // The tests that end a connection look at what its queries say.
  await client.connect();
  afterThisTest(() => client.end());
  return client;
}

/** A program of ./children in a process of its own, with the messages it has sent so far. */
export class Child {
  messages = [];
  stderr = '';

  constructor(program, ...args) {
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'];
    this.process = fork(join(import.meta.dirname, 'children', program), args, { stdio, execArgv: [] });
    this.process.on('message', (message) => this.messages.push(message));
    this.process.stderr.on('data', (text) => {
      this.stderr += text;
    });
    this.exited = once(this.process, 'exit');
    afterThisTest(() => this.kill());
  }

  async kill(signal = 'SIGKILL') {
    this.process.kill(signal);
    await this.exited;
  }

  last(kind) {
    return this.messages.findLast((message) => kind in message)?.[kind];
  }

  /** The first message of a kind for which `test` holds. */
  async told(kind, test = () => true, timeoutMs = PATIENCE_MS) {
    await until(
      () => this.messages.some((message) => kind in message && test(message[kind])),
      timeoutMs,
      () => {
        return `${kind} from the child, which said ${JSON.stringify(this.messages.at(-1))} ${this.stderr}`;
      },
    );
    return this.messages.find((message) => kind in message && test(message[kind]))[kind];
  }
}

export async function until(condition, timeoutMs, name = () => String(condition)) {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${name()}`);
    await sleep(20);
  }
}
