// The Chromium that tests drive.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isRoot } from './debian.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
export const ADVICE =
  'The tests in a browser need Chromium: install it (Debian: apt-get install chromium) or name one in CHROMIUM_PATH.';

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
  const { chromium } = await import('playwright-core'); // whoever looks for a browser may not have it yet
  const args = isRoot() ? ['--no-sandbox', ...QUIET] : QUIET; // root cannot have the sandbox
  return chromium.launch({ executablePath, args, headless: true });
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
