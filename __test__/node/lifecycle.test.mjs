// How the package lives in a process: when it connects, how often, and that it lets the process end.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as api from 'izzie-memory';
import { migratedDatabase } from '../support/migrated.mjs';

const child = (name) => fileURLToPath(new URL(`children/${name}`, import.meta.url));

/** Runs a script of `children/` until it ends by itself; what it prints is JSON. */
async function run(name, environment, cwd) {
  const { PATH, HOME, TMPDIR } = process.env;
  const env = { PATH, HOME, ...(TMPDIR && { TMPDIR }), ...environment };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [child(name)], {
    env,
    cwd,
    timeout: 240_000,
  });
  return { answer: JSON.parse(stdout), stderr };
}

describe('the life of a process', { concurrency: false, timeout: 480_000 }, () => {
  let database;
  let folder;

  before(async () => {
    database = await migratedDatabase(api);
    folder = mkdtempSync(join(tmpdir(), 'izzie-lifecycle-'));
  });

  after(async () => {
    rmSync(folder, { recursive: true });
    await database.drop();
  });

  test('a script that stores and never closes anything ends by itself', async () => {
    const { answer } = await run('store.mjs', { DATABASE_URL: database.url }, folder);
    assert.deepEqual(answer, { created: true, found: 1 });
  });

  test('and so it does on the embedded store, of which it says where it lies', async () => {
    const { answer, stderr } = await run('store.mjs', {}, folder);
    assert.deepEqual(answer, { created: true, found: 1 });
    assert.match(stderr, /^izzie-memory: .*\.izzie-memory\n$/);
    const { answer: again, stderr: silent } = await run('store.mjs', { SILENT: '1' }, folder);
    assert.deepEqual(again, { created: false, found: 1 });
    assert.equal(silent, '');
  });

  test('100 services and 10 reloads hold as many connections as one', async () => {
    const { answer } = await run('connections.cjs', { DATABASE_URL: database.url }, folder);
    assert.ok(answer.ofOne > 0);
    assert.equal(answer.ofMany, answer.ofOne);
    assert.equal(answer.afterShutdown, 0);
  });

  test('the last of the layers with equal settings closes the connections', async () => {
    const layers = [1, 2].map(() => api.createMemoryLayer({ databaseUrl: database.url }));
    for (const { memory } of layers) await memory.getStats('lifecycle');
    await layers[0].close();
    await layers[0].close();
    await layers[1].memory.getStats('lifecycle');
    await layers[1].close();
    await assert.rejects(layers[1].memory.getStats('lifecycle'), { reason: 'CLOSED' });
  });

  test('a worker thread that shuts down leaves the connections to the others', async () => {
    const env = { ...process.env, DATABASE_URL: database.url };
    const workers = [1, 2].map(() => new Worker(child('worker.cjs'), { env }));
    const ask = async (worker, message) => {
      worker.postMessage(message);
      return (await once(worker, 'message'))[0];
    };
    try {
      for (const worker of workers) assert.equal(await ask(worker, 'one'), 'stored');
      assert.equal(await ask(workers[0], 'shutdown'), 'closed');
      await workers[0].terminate();
      assert.equal(await ask(workers[1], 'two'), 'stored');
      assert.equal(await ask(workers[1], 'shutdown'), 'closed');
    } finally {
      for (const worker of workers) await worker.terminate();
    }
  });

  test('a worker thread may be ended in the middle of its calls', async () => {
    const { answer } = await run('terminated-worker.cjs', { DATABASE_URL: database.url }, folder);
    assert.deepEqual(answer, { total: 1 });
  });

  test('in production without a database it opens no file and no socket', async () => {
    const empty = mkdtempSync(join(folder, 'production-'));
    const { answer, stderr } = await run('not-configured.cjs', { NODE_ENV: 'production' }, empty);
    assert.deepEqual(answer, { reason: 'NOT_CONFIGURED', health: 'unhealthy', opened: [] });
    assert.equal(stderr, '');
    assert.deepEqual(readdirSync(empty), []);
  });
});
