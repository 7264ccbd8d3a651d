#!/usr/bin/env node
// The Chromium that tests drive: node scripts/browser.mjs installs one where there is none and we may.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { run } from './lib/process.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ADVICE =
  'The tests need Chromium: install it (Debian: apt-get install chromium) or name one in CHROMIUM_PATH.';

/** It talks to nobody but the server under test. */
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
];

/** The path of the program, if there is one. */
export function findBrowser({ CHROMIUM_PATH, PATH = '' } = process.env) {
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const paths = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return paths.find(isExecutable);
}

/** Started without a window. @throws with what to install */
export async function launchBrowser() {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error(ADVICE);
  const args = isRoot() ? ['--no-sandbox', ...QUIET] : QUIET; // root cannot have the sandbox
  return chromium.launch({ executablePath, args, headless: true });
}

async function install() {
  if (findBrowser()) return;
  if (!isRoot() || !existsSync('/etc/debian_version')) throw new Error(ADVICE);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '--quiet=2'],
    ['install', '--yes', '--quiet=2', '--no-install-recommends', 'chromium'],
  ]) {
    const code = await run('apt-get', args, { env });
    if (code !== 0) throw new Error(`apt-get ${args[0]} failed (exit code ${code}). ${ADVICE}`);
  }
}

function isRoot() {
  return process.getuid?.() === 0;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  install().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
