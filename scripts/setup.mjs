// Brings a fresh clone to the point where the package works: the dependencies and the native addon.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, run } from './lib/process.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Installs and builds what is missing or stale; does nothing quickly when all is there. */
export async function setUp() {
  await installPackages();
  await buildAddon();
}

/**
 * The locked versions, unless the installed tree is as new as the lock file. Not by `npm ci`: it refuses a lock that
 * lacks the binaries of some other platform, and not every registry mirror carries them all.
 */
export async function installPackages() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && modified(installed) >= modified(join(root, 'package-lock.json'))) return;
  await must(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
}

/**
 * The addon as it is optimised for publication; cargo knows best what is stale, and an up-to-date tree takes a second.
 * With `IZZIE_MEMORY_PORTABLE` in the environment it is also linked as it is published.
 */
export async function buildAddon() {
  const script = process.env.IZZIE_MEMORY_PORTABLE ? 'build:portable' : 'build';
  await must(npm, ['run', '--silent', script], await cargoEnvironment());
}

/**
 * The environment for every cargo call. `napi build` always names a target, which moves cargo's output to another
 * folder: naming the same one everywhere compiles each dependency once.
 */
export async function cargoEnvironment() {
  return { CARGO_BUILD_TARGET: process.env.CARGO_BUILD_TARGET ?? (await hostTriple()) };
}

export async function hostTriple() {
  let version;
  try {
    version = await capture('rustc', ['-vV'], { cwd: root });
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Error('Building the addon needs Rust: install it with rustup and try again.');
    throw error;
  }
  return /^host: (.+)$/m.exec(version)[1];
}

async function must(command, args, environment = {}) {
  const code = await run(command, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    shell: process.platform === 'win32',
  });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit code ${code}).`);
}

function modified(path) {
  return statSync(path).mtimeMs;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp();
