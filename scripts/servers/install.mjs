// Where the downloaded servers are kept between runs, and how they get there.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { capture, isAlive } from '../lib/process.mjs';

/**
 * `IZZIE_MEMORY_SERVERS_DIR`, or this user's cache folder. Postgres refuses to run as root, so root's servers run as
 * `nobody`, who can read nothing below root's home: theirs lie in the machine's cache.
 */
export function serversDir() {
  if (process.env.IZZIE_MEMORY_SERVERS_DIR) return process.env.IZZIE_MEMORY_SERVERS_DIR;
  if (process.getuid?.() === 0) return '/var/cache/izzie-memory-servers';
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'izzie-memory-servers');
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'izzie-memory-servers');
}

/**
 * The folder `name` of the cache, filled by `fill(folder)` if it is not there yet. It is filled under another name and
 * moved into place at the end: a half-finished one never counts, and of two runs at once the first one wins.
 */
export async function install(name, fill) {
  const target = join(serversDir(), name);
  if (isInstalled(target)) return target;
  removeAbandoned(target);
  const staging = `${target}.partial-${process.pid}`;
  mkdirSync(staging, { recursive: true, mode: 0o755 });
  try {
    await fill(staging);
    renameSync(staging, target);
  } catch (error) {
    if (!isInstalled(target)) throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return target;
}

function isInstalled(target) {
  try {
    return readdirSync(target).length > 0;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Removes what killed installations left behind. */
function removeAbandoned(target) {
  const folder = dirname(target);
  const prefix = `${basename(target)}.partial-`;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(prefix) || isAlive(Number(entry.slice(prefix.length)))) continue;
    rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** Asks a tool for its version; when it is missing, says in one sentence what to do. */
export async function requireTool(command, args, advice) {
  try {
    return await capture(command, args);
  } catch (error) {
    throw new Error(advice, { cause: error });
  }
}
