// Run in a project that has the package installed: stores, retrieves, is killed, opens again. Needs no server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createMemoryLayer } from 'izzie-memory';

const USER = 'ada';
const WRITES_BEFORE_THE_KILL = 20;
const QUESTION = 'whom did I have lunch with?';
const ANSWER = 'Lunch with Grace Hopper of Remington Rand.';

const open = (folder) => createMemoryLayer({ embedded: folder, logger: {} });

const [role, folder] = process.argv.slice(2);
if (role === 'writer') await write(folder);
else await main();

/** Stores until it is killed, and tells each memory that was acknowledged. */
async function write(folder) {
  const { memory } = open(folder);
  for (let number = 0; ; number += 1) {
    const content = number === 0 ? ANSWER : `Note number ${number}.`;
    const { id } = await memory.store({ userId: USER, content });
    process.stdout.write(`${id}\n`);
  }
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'izzie-memory-smoke-'));
  try {
    const acknowledged = await writeAndKill(folder);
    await check(folder, acknowledged);
    console.log(`${process.platform}-${process.arch}: ${acknowledged.length} memories outlived the kill`);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Returns the ids that the writer was told before it was killed. */
async function writeAndKill(folder) {
  const writer = spawn(process.execPath, [fileURLToPath(import.meta.url), 'writer', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(writer, 'close');
  const acknowledged = [];
  for await (const id of createInterface(writer.stdout)) {
    acknowledged.push(id);
    if (acknowledged.length === WRITES_BEFORE_THE_KILL) writer.kill('SIGKILL');
  }
  const [code] = await ended;
  assert.notEqual(code, 0, 'the writer was to be killed, and ended by itself');
  assert.ok(acknowledged.length >= WRITES_BEFORE_THE_KILL, `${acknowledged.length} memories were stored`);
  // Killed in the middle of a line, it told less than an id.
  return acknowledged.filter((id) => id.length === 36);
}

async function check(folder, acknowledged) {
  const layer = open(folder);
  try {
    const found = await layer.memory.getMany(acknowledged);
    assert.deepEqual(
      found.map(({ id }) => id),
      acknowledged,
    );
    const [best] = await layer.memory.retrieve(USER, QUESTION);
    assert.equal(best.content, ANSWER);
    const { memory } = layer;
    const after = await memory.store({ userId: USER, content: 'After the kill.' });
    assert.equal((await memory.getById(after.id)).content, 'After the kill.');
  } finally {
    await layer.close();
  }
}
