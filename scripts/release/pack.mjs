// The tarballs of a release: the package without an addon, and one package with the addon of each platform.
//
//     node scripts/release/pack.mjs ADDONS OUT [TARGET …]
//
// ADDONS holds the built addons, OUT gets the tarballs. Without targets: all that package.json names.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture } from '../lib/process.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const napiCli = join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');

/**
 * @param {{ addons: string, out: string, targets?: string[] }} options targets: Rust's names
 * @returns {Promise<string[]>} the paths of the tarballs, the package itself first
 */
export async function packRelease({ addons, out, targets }) {
  const work = mkdtempSync(join(tmpdir(), 'izzie-memory-release-'));
  try {
    const stage = await unpack(work);
    if (targets) narrow(stage, targets);
    collect(addons, join(stage, 'artifacts'));
    const napi = (...args) => capture(process.execPath, [napiCli, ...args], { cwd: stage });
    await napi('create-npm-dirs');
    await napi('artifacts', '--output-dir', 'artifacts');
    removeAddons(stage);
    await napi('pre-publish', '--tag-style', 'npm', '--skip-optional-publish', '--no-gh-release');
    mkdirSync(out, { recursive: true });
    const platforms = readdirSync(join(stage, 'npm')).map((name) => join(stage, 'npm', name));
    return [await pack(stage, out), ...(await inTurn(platforms, (folder) => pack(folder, out)))];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What `npm pack` takes in, as a folder; npm's commands change its package.json and not ours. */
async function unpack(work) {
  const tarball = await pack(root, work);
  await capture('tar', ['-xzf', tarball, '-C', work]);
  const stage = join(work, 'package');
  removeAddons(stage);
  return stage;
}

function collect(addons, folder) {
  mkdirSync(folder);
  for (const name of readdirSync(addons)) {
    if (name.endsWith('.node')) copyFileSync(join(addons, name), join(folder, name));
  }
}

/** The addon of the platform that packs lies in the package itself, until it is released. */
function removeAddons(stage) {
  for (const name of readdirSync(stage)) if (name.endsWith('.node')) rmSync(join(stage, name));
}

function narrow(stage, targets) {
  const file = join(stage, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  manifest.napi.targets = targets;
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}

async function pack(folder, out) {
  const report = await capture('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out], {
    cwd: folder,
  });
  const [{ filename }] = JSON.parse(report);
  return join(out, filename);
}

async function inTurn(items, work) {
  const results = [];
  for (const item of items) results.push(await work(item));
  return results;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [addons, out, ...targets] = process.argv.slice(2);
  if (!out) throw new Error('Usage: node scripts/release/pack.mjs ADDONS OUT [TARGET …]');
  const options = { addons: resolve(addons), out: resolve(out) };
  const tarballs = await packRelease({ ...options, targets: targets.length > 0 ? targets : undefined });
  console.log(tarballs.join('\n'));
}
