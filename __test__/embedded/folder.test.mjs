import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import embedded from '../../lib/embedded/index.cjs';
import { afterThisTest, connected, folderWithDatabase, locks, temporaryFolder } from './support.mjs';

const { openEmbedded, resolveFolder } = embedded;

async function open(folder) {
  const opened = await openEmbedded({ folder });
  afterThisTest(() => opened.close());
  return opened;
}

const modeOf = (path) => statSync(path).mode & 0o777;

test('the default folder lies beside the nearest package.json', () => {
  const folder = temporaryFolder();
  const project = dirname(folder);
  const below = join(project, 'src', 'deep');
  mkdirSync(below, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{}');
  expect(resolveFolder(below)).toBe(folder);
  expect(() => statSync(folder)).toThrow('ENOENT');
});

test('the folder is ignored by git, and its secrets are for its owner only', async () => {
  const folder = temporaryFolder();
  const { databaseUrl } = await open(folder);
  expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
  expect(modeOf(folder)).toBe(0o700);
  const [lock] = locks(folder);
  expect(modeOf(lock.file)).toBe(0o600);
  expect(lock).toMatchObject({ pid: process.pid, startedAt: expect.any(String) });
  expect(new URL(databaseUrl).password).toBe(lock.password);
  expect(lock.password).toHaveLength(48);
  expect(modeOf(lock.address.socketDir)).toBe(0o700);
});

test('a folder reached by two paths is one', async () => {
  const folder = folderWithDatabase();
  const one = await open(folder);
  const link = join(dirname(folder), 'link');
  symlinkSync(folder, link);
  const two = await open(link);
  expect(two).toMatchObject({ folder: one.folder, databaseUrl: one.databaseUrl });
});

test('a directory of sockets that others can enter is not used', async () => {
  const folder = folderWithDatabase();
  const first = await openEmbedded({ folder });
  await first.close();
  const [{ address }] = locks(folder);
  rmSync(address.socketDir, { recursive: true });
  mkdirSync(address.socketDir, { mode: 0o755 });
  afterThisTest(() => rmSync(address.socketDir, { recursive: true, force: true }));
  const { databaseUrl } = await open(folder);
  const socketDir = new URL(databaseUrl).searchParams.get('host');
  expect(socketDir).not.toBe(address.socketDir);
  expect(modeOf(socketDir)).toBe(0o700);
});

test('a folder that cannot be made is refused by name', async () => {
  const folder = temporaryFolder();
  writeFileSync(folder, 'a file');
  const error = await openEmbedded({ folder }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(error.reason).toBe('UNAVAILABLE');
  expect(error.message).toContain(folder);
  expect(error.message).toContain('IZZIE_MEMORY_DIR');
});

test.each([
  ['a directory of something else', (data) => mkdirAndWrite(join(data, 'notes.txt'), 'not a database')],
  ['a cluster of another Postgres', (data) => mkdirAndWrite(join(data, 'PG_VERSION'), '9\n')],
])('%s is refused and left as it is', async (_name, prepare) => {
  const folder = temporaryFolder();
  const file = prepare(join(folder, 'data'));
  const content = readFileSync(file, 'utf8');
  const error = await openEmbedded({ folder }).catch((thrown) => thrown);
  expect(error.reason).toBe('UNAVAILABLE');
  expect(error.message).toContain(join(folder, 'data'));
  expect(readFileSync(file, 'utf8')).toBe(content);
});

test('a damaged cluster is refused, and opens again once it is restored', async () => {
  const folder = folderWithDatabase();
  const first = await openEmbedded({ folder });
  await first.close();
  const control = join(folder, 'data', 'global', 'pg_control');
  const intact = readFileSync(control);
  truncateSync(control, 100);
  const error = await openEmbedded({ folder }).catch((thrown) => thrown);
  expect(error.reason).toBe('UNAVAILABLE');
  writeFileSync(control, intact);
  const { databaseUrl } = await open(folder);
  await connected(databaseUrl);
});

test('a cluster whose creation was cut off is made anew', async () => {
  const folder = temporaryFolder();
  mkdirAndWrite(join(folder, 'data', 'PG_VERSION'), '18\n');
  writeFileSync(join(folder, 'data.unfinished'), '');
  const { databaseUrl } = await open(folder);
  await connected(databaseUrl);
  expect(() => statSync(join(folder, 'data.unfinished'))).toThrow('ENOENT');
});

function mkdirAndWrite(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}
