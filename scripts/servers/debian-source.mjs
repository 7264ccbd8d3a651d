// Upstream sources of Debian packages, from the mirror that this machine uses, by the sums in Debian's signed index.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../lib/process.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** apt's own downloader, which knows this machine's proxies and credentials. */
const DOWNLOADER = '/usr/lib/apt/apt-helper';
const UNSANDBOXED = ['-o', 'APT::Sandbox::User=']; // apt's own user may not be allowed into our folder

/**
 * Unpacks the upstream sources of `packages`, as `release` has them, below `folder`; returns the folder of each. apt
 * keeps its lists there too: the machine's own state is neither read nor changed, and no right is needed.
 *
 * Nothing but the upstream archives is fetched: Debian's own parts of a package change more often, and a mirror may
 * have lost those that the index names.
 */
export async function fetchSources(release, packages, folder) {
  const apt = await privateApt(release, folder);
  await apt('update');
  const archives = upstreamArchives(await apt('source', '--download-only', '--print-uris', ...packages));
  return Promise.all(packages.map((name) => fetchOne(name, archives, folder)));
}

/**
 * The upstream archives among what `apt-get source --print-uris` prints, with their SHA-256 sums.
 *
 * @param {string} printed
 * @returns {{ uri: string, file: string, sha256: string }[]}
 */
export function upstreamArchives(printed) {
  const lines = printed.matchAll(/^'([^'\s]+)' (\S+\.orig\.tar\.\w+) \d+ SHA256:([0-9a-f]{64})$/gm);
  return [...lines].map(([, uri, file, sha256]) => ({ uri, file, sha256 }));
}

/** @throws when the file is not the one that the index means */
export function verify(path, sha256) {
  const found = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (found !== sha256) throw new Error(`${path} has the SHA-256 sum ${found}, the index says ${sha256}`);
}

async function fetchOne(name, archives, folder) {
  const archive = archives.find(({ file }) => file.startsWith(`${name}_`));
  if (!archive) throw new Error(`the index names no upstream archive of ${name} with a SHA-256 sum`);
  const path = join(folder, archive.file);
  await capture(DOWNLOADER, [...UNSANDBOXED, 'download-file', archive.uri, path]);
  verify(path, archive.sha256);
  const target = join(folder, name);
  mkdirSync(target);
  await capture('tar', ['-xf', path, '-C', target, '--strip-components=1', '--no-same-owner']);
  return target;
}

/** Runs apt-get with `folder` for its state, and `release` as the only source it knows. */
async function privateApt(release, folder) {
  if (!existsSync(KEYRING)) throw new Error(`${KEYRING} is missing`);
  const sources = join(folder, 'sources.list');
  writeFileSync(sources, `deb-src [signed-by=${KEYRING}] ${await mirror()} ${release} main\n`);
  mkdirSync(join(folder, 'lists'));
  const options = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'Acquire::ForceHash=SHA256',
    'APT::Update::Error-Mode=any', // else an index that cannot be fetched is a warning
  ].flatMap((option) => ['-o', option]);
  return (...args) => capture('apt-get', ['-q', ...UNSANDBOXED, ...options, ...args], { cwd: folder });
}

/** Where this machine gets Debian from. */
async function mirror() {
  const args = ['indextargets', '--no-release-info', '--format', '$(REPO_URI)', 'Created-By: Packages'];
  const uris = (await capture('apt-get', args)).split('\n');
  const found = uris.find((uri) => /\/debian\/?$/.test(uri));
  if (!found) throw new Error('no mirror of Debian is among the sources of apt');
  return found;
}
