import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
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

async function member(folder) {
  const child = new Child('member.mjs', folder);
  await child.told('role');
  return child;
}

const rolesOf = (members) => members.map((child) => child.last('role')).sort();

test('the host is killed: its guest goes on, nothing acknowledged is missing', async () => {
  const folder = folderWithDatabase();
  const host = await member(folder);
  const writer = new Child('writer.mjs', folder, 'w');
  await writer.told('acknowledged', (n) => n >= 200);
  await host.kill();
  await writer.told('queryError');
  const before = writer.last('acknowledged');
  await writer.told('acknowledged', (n) => n > before, PATIENCE_MS);
  const last = writer.last('acknowledged');
  const connectErrors = writer.messages
    .filter((said) => 'connectError' in said)
    .map((said) => said.connectError);
  expect(new Set(connectErrors)).toEqual(new Set(['ECONNREFUSED']));

  const reader = await embedded.openEmbedded({ folder });
  afterThisTest(() => reader.close());
  const client = await connected(reader.databaseUrl);
  const { rows } = await client.query('select n from written where n <= $1 order by n', [last]);
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: last + 1 }, (_, n) => n));
});

test('of five guests exactly one becomes the host, the others are its guests', async () => {
  const folder = folderWithDatabase();
  const host = await member(folder);
  const guests = await Promise.all(Array.from({ length: 5 }, () => member(folder)));
  expect(rolesOf(guests)).toEqual(Array(5).fill('guest'));
  const urls = new Set(guests.map((guest) => guest.last('url')));
  await host.kill();
  await until(() => rolesOf(guests).includes('host'), PATIENCE_MS);

  await sleep(1_000); // a second host would show
  expect(rolesOf(guests)).toEqual(['guest', 'guest', 'guest', 'guest', 'host']);
  const next = guests.find((guest) => guest.last('role') === 'host');
  expect(locks(folder).at(-1).pid).toBe(next.process.pid);
  expect([...urls]).toEqual([host.last('url')]);

  await next.kill();
  const remaining = guests.filter((guest) => guest !== next);
  await until(() => rolesOf(remaining).includes('host'), PATIENCE_MS);
  expect(rolesOf(remaining)).toEqual(['guest', 'guest', 'guest', 'host']);
});

test('of six processes that find a dead host at once exactly one takes its place', async () => {
  const folder = folderWithDatabase();
  const first = await member(folder);
  await first.kill();
  for (let round = 0; round < 3; round++) {
    const contenders = Array.from({ length: 6 }, () => new Child('member.mjs', folder));
    await Promise.all(contenders.map((child) => child.told('role')));
    expect(rolesOf(contenders)).toEqual([...Array(5).fill('guest'), 'host']);
    const host = contenders.find((child) => child.last('role') === 'host');
    const guests = contenders.filter((child) => child !== host);
    // Guests first, or one of them takes over in between.
    for (const child of [...guests, host]) await child.kill();
  }
});

test('a host that closes in order lets its guest take over', async () => {
  const folder = folderWithDatabase();
  const host = await member(folder);
  const guest = await member(folder);
  const client = await connected(guest.last('url'));
  await client.query('create table kept as select 7 as n');
  const running = client.query('select pg_sleep(2), n from kept');
  await sleep(1_000); // It has begun.
  host.process.send('close');
  expect((await running).rows[0].n).toBe(7); // what runs is finished
  await host.told('closed');
  await guest.told('role', (role) => role === 'host', PATIENCE_MS);
  expect((await host.exited)[0]).toBe(0);
  const again = await connected(guest.last('url'));
  expect((await again.query('select n from kept')).rows).toEqual([{ n: 7 }]);
});

test('a host that is stopped is not robbed', async () => {
  const folder = folderWithDatabase();
  const host = await member(folder);
  const guest = await member(folder);
  host.process.kill('SIGSTOP');
  const late = new Child('member.mjs', folder);
  await sleep(2_000);
  expect(guest.last('role')).toBe('guest');
  expect(late.last('role')).toBeUndefined();
  expect(locks(folder)).toHaveLength(1);
  host.process.kill('SIGCONT');
  await late.told('role', (role) => role === 'guest', PATIENCE_MS);
});

test('a process that inherits the pid of a dead host does not keep the folder locked', async () => {
  const folder = folderWithDatabase();
  const host = await member(folder);
  await host.kill();
  const [lock] = locks(folder);
  writeFileSync(lock.file, JSON.stringify({ ...lock, pid: process.pid }));
  const next = await member(folder);
  expect(next.last('role')).toBe('host');
});

test('after a reboot, which empties the temporary directory, the folder opens at once', async () => {
  const folder = folderWithDatabase();
  const host = await member(folder);
  await host.kill();
  rmSync(locks(folder)[0].address.socketDir, { recursive: true });
  const next = new Child('member.mjs', folder);
  // Well before the dead host's heartbeat would count as missed.
  expect(await next.told('role', () => true, 20_000)).toBe('host');
  expect(locks(folder)).toHaveLength(2);
});

test('a host in another container, whose pulse cannot be felt, is not robbed while its heart beats', async () => {
  const folder = folderWithDatabase();
  const first = await member(folder);
  await first.kill();
  const [lock] = locks(folder);
  writeFileSync(lock.file, JSON.stringify({ ...lock, id: 'far', machine: 'another' }));
  const late = new Child('member.mjs', folder);
  await sleep(3_000);
  expect(late.messages).toEqual([]);
  expect(locks(folder)).toHaveLength(1);
  utimesSync(lock.file, 0, 0);
  expect(await late.told('role')).toBe('host');
});
