// Packages of Debian, which a run installs where it may: as root, on Debian and what descends from it.
import { existsSync } from 'node:fs';
import { run } from './lib/process.mjs';

/** Another apt may be at work, such as the one that keeps a fresh machine up to date. */
const WAIT_FOR_LOCK = ['-o', 'DPkg::Lock::Timeout=300'];
const OPTIONS = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };

let isUpToDate = false;

export function mayInstall() {
  return isRoot() && existsSync('/etc/debian_version');
}

/** @param {string[]} names @throws when apt-get cannot install them */
export async function installPackages(names) {
  // One source of several that does not answer is no reason to give up.
  if (!isUpToDate) await run('apt-get', ['update', '--quiet=2', ...WAIT_FOR_LOCK], OPTIONS);
  isUpToDate = true;
  const install = ['install', '--yes', '--quiet=2', '--no-install-recommends', ...WAIT_FOR_LOCK, ...names];
  const code = await run('apt-get', install, OPTIONS);
  if (code !== 0) throw new Error(`apt-get install ${names.join(' ')} failed (exit code ${code})`);
}

export function isRoot() {
  return process.getuid?.() === 0;
}
