import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { Child, folderWithDatabase } from './support.mjs';

const EXIT_MS = 60_000;

async function exitCode(child) {
  const timer = setTimeout(() => child.process.kill('SIGKILL'), EXIT_MS);
  const [code, signal] = await child.exited;
  clearTimeout(timer);
  return code ?? signal;
}

test('a script that stores and closes nothing finishes its work and exits by itself', async () => {
  const script = new Child('script.mjs', folderWithDatabase());
  expect(await script.told('stored')).toBe('stored');
  expect(await exitCode(script)).toBe(0);
  expect(script.stderr).toBe('');
});

test('so does one that is a guest', async () => {
  const folder = folderWithDatabase();
  const host = new Child('member.mjs', folder);
  await host.told('role');
  const script = new Child('script.mjs', folder);
  expect(await script.told('stored')).toBe('stored');
  expect(await exitCode(script)).toBe(0);
  expect(script.stderr).toBe('');
});

test('so does one with a database in memory, and it leaves no socket', async () => {
  const socketDirs = () => readdirSync(tmpdir()).filter((name) => /^izzie-[^-]{6}$/.test(name));
  const before = socketDirs();
  const script = new Child('script.mjs', 'memory://');
  expect(await script.told('stored')).toBe('stored');
  expect(await exitCode(script)).toBe(0);
  expect(socketDirs()).toEqual(before);
});
