// @ts-nocheck: the addons of other platforms are not here.
'use strict';

/**
 * Literal requires, so that bundlers and file tracers see what a deployment needs: first the addon that lies in this
 * package, then the package of its platform.
 */
const ADDONS = {
  'linux-x64-gnu': [
    () => require('../izzie-memory.linux-x64-gnu.node'),
    () => require('@izzie-memory/binding-linux-x64-gnu'),
  ],
  'linux-x64-musl': [
    () => require('../izzie-memory.linux-x64-musl.node'),
    () => require('@izzie-memory/binding-linux-x64-musl'),
  ],
  'linux-arm64-gnu': [
    () => require('../izzie-memory.linux-arm64-gnu.node'),
    () => require('@izzie-memory/binding-linux-arm64-gnu'),
  ],
  'linux-arm64-musl': [
    () => require('../izzie-memory.linux-arm64-musl.node'),
    () => require('@izzie-memory/binding-linux-arm64-musl'),
  ],
  'darwin-x64': [
    () => require('../izzie-memory.darwin-x64.node'),
    () => require('@izzie-memory/binding-darwin-x64'),
  ],
  'darwin-arm64': [
    () => require('../izzie-memory.darwin-arm64.node'),
    () => require('@izzie-memory/binding-darwin-arm64'),
  ],
  'win32-x64-msvc': [
    () => require('../izzie-memory.win32-x64-msvc.node'),
    () => require('@izzie-memory/binding-win32-x64-msvc'),
  ],
  'win32-arm64-msvc': [
    () => require('../izzie-memory.win32-arm64-msvc.node'),
    () => require('@izzie-memory/binding-win32-arm64-msvc'),
  ],
};

function platform() {
  const { platform: os, arch } = process;
  if (os === 'win32') return `${os}-${arch}-msvc`;
  return os === 'linux' ? `${os}-${arch}-${isMusl() ? 'musl' : 'gnu'}` : `${os}-${arch}`;
}

function isMusl() {
  const report = /** @type {any} */ (process.report);
  const { excludeNetwork } = report;
  report.excludeNetwork = true; // Looking up the names of open sockets' peers can take seconds.
  try {
    return !report.getReport().header.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

function load() {
  const name = platform();
  const attempts = ADDONS[name];
  if (!attempts) throw new Error(unsupported(name));
  const failures = [];
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (error) {
      failures.push(error);
    }
  }
  // A file that is there but cannot be loaded tells more than one that is missing.
  const broken = failures.find((error) => error.code !== 'MODULE_NOT_FOUND');
  throw new Error(broken ? unloadable(name, broken) : missing(name), { cause: broken ?? failures.at(-1) });
}

function unsupported(name) {
  return `izzie-memory has no native addon for ${name}. There are addons for ${Object.keys(ADDONS).join(', ')}.`;
}

function unloadable(name, { message }) {
  return `The native addon of izzie-memory for ${name} cannot be loaded: ${message}`;
}

function missing(name) {
  const { version } = require('../package.json');
  const addon = `@izzie-memory/binding-${name}`;
  return (
    `izzie-memory lacks its native addon for ${name}: ${addon}@${version} is not installed. npm leaves it out with ` +
    '--omit=optional, or where node_modules or the lock file was made on another platform. ' +
    `Install without that option, or add it by name: npm install ${addon}@${version}`
  );
}

module.exports = load();
