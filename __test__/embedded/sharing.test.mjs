import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import embedded from '../../lib/embedded/index.cjs';
import {
  afterThisTest,
  Child,
  connected,
  folderWithDatabase,
  locks,
  PATIENCE_MS,
  until,
} from './support.mjs';

const { openEmbedded } = embedded;

async function open(folder) {
  const opened = await openEmbedded({ folder });
  afterThisTest(() => opened.close());
  return opened;
}

/** What a test runner or a development server does when it loads a module again. */
function freshModule() {
  const require = createRequire(import.meta.url);
  for (const file of Object.keys(require.cache))
    if (file.includes('/lib/embedded/')) delete require.cache[file];
  return require('../../lib/embedded/index.cjs');
}

test('two processes write and read at once and both make progress', async () => {
  const folder = folderWithDatabase();
  const writers = [new Child('writer.mjs', folder, 'a'), new Child('writer.mjs', folder, 'b')];
  const reachedBy = (n) => writers.map((writer) => writer.told('acknowledged', (last) => last >= n));
  await Promise.race(reachedBy(600));
  const counts = writers.map((writer) => writer.last('acknowledged') ?? 0);
  // The later one missed the start; from then on they take turns.
  await Promise.all(reachedBy(600));
  const now = writers.map((writer) => writer.last('acknowledged'));
  const progress = now.map((count, index) => count - counts[index]);
  expect(
    writers.flatMap(({ messages }) => messages.filter((message) => !('acknowledged' in message))),
  ).toEqual([]);
  for (const count of now) expect(count).toBeGreaterThanOrEqual(600);
  // Of one that is never let through there are a handful; how even it is, is up to the machine too.
  if (Math.min(...progress) > 100) expect(Math.max(...progress) / Math.min(...progress)).toBeLessThan(10);
});

test('clients with statements of the same name keep their own', async () => {
  const { databaseUrl } = await open(folderWithDatabase());
  const [one, two] = [await connected(databaseUrl), await connected(databaseUrl)];
  const ask = (client, text) => client.query({ name: 'same', text, values: [1], rowMode: 'array' });
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all([ask(one, 'select $1::int + 1'), ask(two, 'select $1::int + 2')]);
    expect(answers.map(({ rows }) => rows)).toEqual([[[2]], [[3]]]);
  }
});

test('a second open in the process shares the first, until the last one closes', async () => {
  const folder = folderWithDatabase();
  const [first, second] = await Promise.all([openEmbedded({ folder }), openEmbedded({ folder })]);
  expect([first.role, second.role]).toEqual(['host', 'host']);
  expect(second.databaseUrl).toBe(first.databaseUrl);
  await first.close();
  await first.close(); // counts once
  const client = await connected(second.databaseUrl);
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await second.close();
  await expect(connected(second.databaseUrl)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a folder closed and opened at once opens again with its data', async () => {
  const folder = folderWithDatabase();
  const first = await openEmbedded({ folder });
  const client = await connected(first.databaseUrl);
  await client.query('create table kept as select 7 as n');
  await client.end();
  const closing = first.close();
  const second = await open(folder);
  await closing;
  expect(second.databaseUrl).toBe(first.databaseUrl);
  expect((await (await connected(second.databaseUrl)).query('select n from kept')).rows).toEqual([{ n: 7 }]);
});

test('databases in memory are apart from each other and leave nothing', async () => {
  const [one, two] = [
    await openEmbedded({ folder: 'memory://' }),
    await openEmbedded({ folder: 'memory://' }),
  ];
  const [first, second] = [await connected(one.databaseUrl), await connected(two.databaseUrl)];
  await first.query('create table mine (n int)');
  await expect(second.query('select * from mine')).rejects.toMatchObject({ code: '42P01' });
  await Promise.all([first.end(), second.end()]);
  await Promise.all([one.close(), two.close()]);
  for (const { databaseUrl } of [one, two]) {
    expect(existsSync(new URL(databaseUrl).searchParams.get('host'))).toBe(false);
  }
});

test('the module loaded twice in a process shares as two processes do', async () => {
  const folder = folderWithDatabase();
  const [one, two] = [
    await freshModule().openEmbedded({ folder }),
    await freshModule().openEmbedded({ folder }),
  ];
  expect([one.role, two.role]).toEqual(['host', 'guest']);
  expect(two.databaseUrl).toBe(one.databaseUrl);
  await one.close();
  await until(() => two.role === 'host', PATIENCE_MS);
  await connected(two.databaseUrl);
  await two.close();
});

test('a host that was succeeded stops at once, and becomes a guest or host anew', async () => {
  const folder = folderWithDatabase();
  const { databaseUrl } = await open(folder);
  const client = await connected(databaseUrl);
  const [lock] = locks(folder);
  // As if the pulse had vanished and another machine had taken the folder, to die soon after.
  writeFileSync(join(folder, 'lock.2'), JSON.stringify({ ...lock, id: 'other', machine: 'another', pid: 1 }));
  utimesSync(join(folder, 'lock.2'), 0, 0);
  await expect(client.query('create table never (n int)')).rejects.toThrow();
  await until(() => locks(folder).some(({ name }) => name === 'lock.3'), PATIENCE_MS);
  let again;
  await until(async () => {
    again = await connected(databaseUrl).catch(({ code }) => void expect(code).toBe('ECONNREFUSED'));
    return again;
  }, PATIENCE_MS);
  expect((await again.query("select to_regclass('never') as never")).rows).toEqual([{ never: null }]);
});

test('a worker thread that hosts is terminated: the other user in the process takes over', async () => {
  const folder = folderWithDatabase();
  const thread = new Worker(new URL('./children/thread-host.cjs', import.meta.url), { workerData: folder });
  const host = await new Promise((resolve) => thread.once('message', resolve));
  const guest = await open(folder);
  expect([host.role, guest.role]).toEqual(['host', 'guest']);
  const client = await connected(guest.databaseUrl);
  await client.query('create table kept as select 7 as n');
  const asleep = expect(client.query('select pg_sleep(0.5)')).rejects.toThrow();
  await thread.terminate();
  await asleep;
  await until(() => guest.role === 'host', PATIENCE_MS);
  expect((await (await connected(guest.databaseUrl)).query('select n from kept')).rows).toEqual([{ n: 7 }]);
});
