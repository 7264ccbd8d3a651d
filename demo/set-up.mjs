// Runs before anything is installed: no npm package may be imported here.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/lib/process.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src', 'migrations'];

/**
 * Installs the dependencies and builds the addon when they are missing or older than what they are made of. Done in a
 * process of its own so that all it says goes to stderr: stdout may be read by a program.
 */
export async function setUp() {
  if (packagesAreFresh() && addonIsFresh()) return;
  process.stderr.write('Setting up: dependencies and native addon. The first build takes some minutes.\n');
  const code = await run(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: ['ignore', 2, 2] });
  if (code !== 0) throw new Error(`set-up failed (exit code ${code})`);
}

function packagesAreFresh() {
  return newest(['node_modules/.package-lock.json']) >= newest(['package-lock.json']);
}

function addonIsFresh() {
  const addons = readdirSync(ROOT).filter((name) => name.endsWith('.node'));
  return newest(addons) >= newest(SOURCES);
}

/** The latest modification among files and the files of folders; -Infinity where there are none. */
function newest(paths) {
  return Math.max(...paths.flatMap(files).map((path) => statSync(path).mtimeMs));
}

function files(path) {
  const absolute = join(ROOT, path);
  const entry = statSync(absolute, { throwIfNoEntry: false });
  if (!entry?.isDirectory()) return entry ? [absolute] : [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((child) => child.isFile())
    .map((child) => join(child.parentPath ?? child.path, child.name));
}
