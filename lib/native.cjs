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
  const report = /** @type {any} */ (process.report.getReport());
  return !report.header.glibcVersionRuntime;
}

function load() {
  const name = platform();
  const failures = [];
  for (const attempt of ADDONS[name] ?? []) {
    try {
      return attempt();
    } catch (error) {
      failures.push(error);
    }
  }
  // A file that is there but cannot be loaded tells more than one that is missing.
  const cause = failures.find((error) => error.code !== 'MODULE_NOT_FOUND') ?? failures[0];
  throw new Error(`izzie-memory has no native addon for ${name} that this process can load.`, { cause });
}

module.exports = load();
