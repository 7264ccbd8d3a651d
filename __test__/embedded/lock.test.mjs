import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import lock from '../../lib/embedded/lock.cjs';
import { locks, temporaryFolder } from './support.mjs';

const { claim, currentLock, isOwned, outdatedLocks } = lock;

function folderWithLocks(...generations) {
  const folder = temporaryFolder();
  mkdirSync(folder);
  for (const generation of generations) claim(folder, generation, content(`host-${generation}`));
  return folder;
}

const content = (id) => ({ id, pid: 1, address: { socketDir: '/nowhere/izzie' }, password: 'secret' });
const names = (folder) => locks(folder).map(({ name }) => name);

test('one of two contenders for a generation gets it', () => {
  const folder = folderWithLocks(1);
  expect(claim(folder, 2, content('one'))).toBe(true);
  expect(claim(folder, 2, content('two'))).toBe(false);
  expect(currentLock(folder)).toMatchObject({ generation: 2, id: 'one' });
});

test('a contender that slept while others came and went gets nothing', () => {
  const folder = folderWithLocks(9);
  expect(claim(folder, 2, content('sleeper'))).toBe(false);
  expect(names(folder)).toEqual(['lock.9']);
});

test('generations are numbers, not text', () => {
  expect(currentLock(folderWithLocks(9, 10))).toMatchObject({ generation: 10 });
});

test('a host learns that it was succeeded, and that its folder is gone', () => {
  const folder = folderWithLocks(1);
  const own = currentLock(folder);
  expect(isOwned(own)).toBe(true);
  claim(folder, 2, content('next'));
  expect(isOwned(own)).toBe(false);
  const next = currentLock(folder);
  rmSync(folder, { recursive: true });
  expect(isOwned(next)).toBe(false);
  expect(currentLock(folder)).toBeNull();
});

test('the direct predecessor is kept', () => {
  const folder = folderWithLocks(1, 2, 3, 4);
  expect(outdatedLocks(currentLock(folder)).map(({ generation }) => generation)).toEqual([1, 2]);
});

test('a lock that is no lock is refused by name', () => {
  const folder = folderWithLocks();
  const file = join(folder, 'lock.1');
  writeFileSync(file, '');
  expect(() => currentLock(folder)).toThrow(file);
  rmSync(file);
});
