// Sources of Debian packages, fetched by apt from the mirror that this machine uses and checked against Debian's keys.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../lib/process.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks the upstream sources of `packages`, as `release` has them, below `folder`; returns the folder of each. apt
 * keeps its lists there too: the machine's own state is neither read nor changed, and no right is needed.
 */
export async function fetchSources(release, packages, folder) {
  const apt = await privateApt(release, folder);
  await apt('update');
  await apt('source', '--download-only', ...packages);
  const archives = readdirSync(folder).filter((name) => /\.orig\.tar\.\w+$/.test(name));
  return Promise.all(packages.map((name) => unpack(folder, name, archives)));
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
    'APT::Sandbox::User=', // its own user may not be allowed into this folder
  ].flatMap((option) => ['-o', option]);
  return (...args) => capture('apt-get', ['-q', ...options, ...args], { cwd: folder });
}

/** Where this machine gets Debian from. */
async function mirror() {
  const args = ['indextargets', '--no-release-info', '--format', '$(REPO_URI)', 'Created-By: Packages'];
  const uris = (await capture('apt-get', args)).split('\n');
  const found = uris.find((uri) => /\/debian\/?$/.test(uri));
  if (!found) throw new Error('no mirror of Debian is among the sources of apt');
  return found;
}

async function unpack(folder, name, archives) {
  const archive = archives.find((file) => file.startsWith(`${name}_`));
  if (!archive) throw new Error(`apt-get gave no source of ${name}`);
  const target = join(folder, name);
  mkdirSync(target);
  await capture('tar', [
    '-xf',
    join(folder, archive),
    '-C',
    target,
    '--strip-components=1',
    '--no-same-owner',
  ]);
  return target;
}
