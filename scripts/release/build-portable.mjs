// Builds the addon for a Linux target so that it runs on every distribution that is not older than its glibc 2.28, or
// on every musl: zig brings the libraries to link against, whatever this machine has.
//
//     npm run build:portable [-- TARGET]
//
// Needs Rust with that target and Python with pip, from which zig comes (once, into the target folder).
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, run } from '../lib/process.mjs';
import { hostTriple } from '../setup.mjs';
import { checkGlibc, GLIBC } from './glibc.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const targetFolder = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const TOOLS = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.0'];
const TARGETS = {
  'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
  'x86_64-unknown-linux-musl': 'linux-x64-musl',
  'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
  'aarch64-unknown-linux-musl': 'linux-arm64-musl',
};

/** @param {string} [wanted] Rust's name of the target; by default this machine's */
export async function buildPortable(wanted) {
  const target = wanted ?? (await hostTriple());
  const platform = TARGETS[target];
  if (!platform) throw new Error(`${target}: known are ${Object.keys(TARGETS).join(', ')}`);
  const isGnu = target.endsWith('-gnu');
  await zigbuild(isGnu ? `${target}.${GLIBC}` : target, await tools());
  const addon = join(root, `izzie-memory.${platform}.node`);
  // Replaced, not overwritten: a process may have loaded the old one.
  const fresh = `${addon}.new`;
  copyFileSync(join(targetFolder, target, 'dist', 'libizzie_memory.so'), fresh);
  renameSync(fresh, addon);
  if (isGnu) await checkGlibc(addon);
}

async function zigbuild(target, folder) {
  const args = ['--profile', 'dist', '--locked', '--lib', '--features', 'napi', '--target', target];
  const code = await run(join(folder, 'bin', 'cargo-zigbuild'), ['zigbuild', ...args], {
    cwd: root,
    env: {
      ...process.env,
      CARGO_ZIGBUILD_ZIG_PATH: join(folder, 'ziglang', 'zig'),
      // musl: a shared library cannot bring a libc of its own.
      ...(target.endsWith('-musl') ? { RUSTFLAGS: '-C target-feature=-crt-static' } : {}),
    },
  });
  if (code !== 0) throw new Error(`cargo zigbuild failed (exit code ${code})`);
}

/** The folder that zig and cargo-zigbuild are in. */
async function tools() {
  const folder = join(targetFolder, `zigbuild-${TOOLS.join('-').replaceAll(/[^\w.-]+/g, '-')}`);
  if (existsSync(folder)) return folder;
  const staging = `${folder}.partial`;
  rmSync(staging, { recursive: true, force: true });
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-input',
    '--disable-pip-version-check',
    '--only-binary=:all:',
  ];
  try {
    await capture('python3', [...pip, '--target', staging, ...TOOLS]);
  } catch (error) {
    throw new Error('A portable build needs Python 3 with pip, which brings zig.', { cause: error });
  }
  renameSync(staging, folder);
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPortable(process.argv[2]);
