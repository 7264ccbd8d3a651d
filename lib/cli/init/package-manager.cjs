'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

/** How each of them adds a package, and runs the binary of one. @typedef {{ add: string, run: string }} PackageManager */
const MANAGERS = {
  npm: { add: 'npm install', run: 'npx' },
  pnpm: { add: 'pnpm add', run: 'pnpm exec' },
  yarn: { add: 'yarn add', run: 'yarn run' },
  bun: { add: 'bun add', run: 'bunx' },
};

const LOCK_FILES = {
  'pnpm-lock.yaml': 'pnpm',
  'pnpm-workspace.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
  'package-lock.json': 'npm',
  'npm-shrinkwrap.json': 'npm',
};

/**
 * The package manager of an app: what package.json names, else whose lock file is there, in the app's folder or, for a
 * workspace, in one above it; else the one that runs this.
 *
 * @param {string} app
 * @param {Record<string, string | undefined>} [env]
 * @returns {PackageManager}
 */
function packageManagerOf(app, env = process.env) {
  return MANAGERS[foundFrom(app) ?? callerOf(env) ?? 'npm'];
}

/** @param {string} folder @returns {string | undefined} */
function foundFrom(folder) {
  const name = namedIn(join(folder, 'package.json')) ?? lockedIn(folder);
  const parent = dirname(folder);
  return name ?? (parent === folder || isRepository(folder) ? undefined : foundFrom(parent));
}

/** Corepack's field, `pnpm@9.1.0`, and the newer one of npm. */
function namedIn(file) {
  if (!existsSync(file)) return undefined;
  const { packageManager, devEngines } = JSON.parse(readFileSync(file, 'utf8'));
  return known(String(packageManager ?? '').split('@')[0]) ?? known(devEngines?.packageManager?.name);
}

function lockedIn(folder) {
  const file = Object.keys(LOCK_FILES).find((name) => existsSync(join(folder, name)));
  return file && LOCK_FILES[file];
}

/** What lies above it is somebody else's. */
const isRepository = (folder) => existsSync(join(folder, '.git'));

/** `pnpm/9.1.0 npm/? node/v20.0.0 linux x64` */
const callerOf = (/** @type {NodeJS.ProcessEnv} */ env) => known(env.npm_config_user_agent?.split('/')[0]);

const known = (name) => (name !== undefined && Object.hasOwn(MANAGERS, name) ? name : undefined);

module.exports = { packageManagerOf };
