// Installs the tarballs of a release into an empty project, as this platform would, and runs smoke.mjs there.
//
//     node scripts/release/try.mjs TARBALLS
//
// Runs on every platform and needs nothing but Node: no dependency of this repository.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = /^izzie-memory-\d/;

const folder = process.argv[2];
if (!folder) throw new Error('Usage: node scripts/release/try.mjs TARBALLS');
tryRelease(resolve(folder));

function tryRelease(tarballs) {
  const project = mkdtempSync(join(tmpdir(), 'izzie-memory-try-'));
  try {
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    const names = readdirSync(tarballs);
    const wanted = names.filter((name) => MAIN.test(name) || name.includes(`binding-${platform()}-`));
    if (wanted.length !== 2) throw new Error(`no addon for ${platform()} among ${names.join(', ')}`);
    const paths = wanted.map((name) => join(tarballs, name));
    // npm is a shell script on Windows, which Node starts by a shell only.
    run(project, 'npm', ['install', '--no-audit', '--no-fund', ...paths], process.platform === 'win32');
    cpSync(fileURLToPath(new URL('smoke.mjs', import.meta.url)), join(project, 'smoke.mjs'));
    run(project, process.execPath, ['smoke.mjs'], false);
  } finally {
    rmSync(project, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** As the addons' packages are named: by @napi-rs/cli. */
function platform() {
  const { platform: os, arch } = process;
  if (os === 'win32') return `${os}-${arch}-msvc`;
  if (os !== 'linux') return `${os}-${arch}`;
  return `${os}-${arch}-${process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}

function run(cwd, command, args, shell) {
  const { status, error } = spawnSync(command, args, { cwd, shell, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit code ${status})`);
}
