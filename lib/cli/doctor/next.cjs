'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { error, ok } = require('./verdict.cjs');

const CONFIG_FILES = [
  'next.config.ts',
  'next.config.mts',
  'next.config.mjs',
  'next.config.js',
  'next.config.cjs',
];
const SETTING = "serverExternalPackages: ['izzie-memory']";

/** Comments of JavaScript. A string that looks like one is cut too, which no name of a package does. */
const COMMENTS = /\/\*[\s\S]*?\*\/|(^|[^:'"`])\/\/.*$/gm;

/**
 * Whether a Next.js app leaves the native addon to Node. The configuration is read as text: it may be TypeScript, and
 * running it could do anything.
 *
 * @param {string} folder
 * @returns {import('./verdict.cjs').Check[]} none where there is no Next.js app
 */
function checkNextApp(folder) {
  if (!isNextApp(folder)) return [];
  const file = nextConfigFile(folder);
  if (file === undefined) {
    return [error('next', 'there is no next.config', `Make a next.config.ts with ${SETTING}.`)];
  }
  if (namesPackage(readFileSync(join(folder, file), 'utf8'))) {
    return [ok('next', `${file} leaves izzie-memory to Node`)];
  }
  const found = `${file} does not name izzie-memory in serverExternalPackages: no bundler can take a native addon in`;
  return [error('next', found, `Add ${SETTING} to ${file}.`)];
}

/** @param {string} folder */
function nextConfigFile(folder) {
  return CONFIG_FILES.find((name) => existsSync(join(folder, name)));
}

/** @param {string} folder */
function isNextApp(folder) {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return false;
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(file, 'utf8'));
  return 'next' in dependencies || 'next' in devDependencies;
}

/** @param {string} source */
function namesPackage(source) {
  const code = source.replaceAll(COMMENTS, '$1');
  return /\bserverExternalPackages\b/.test(code) && /(['"`])izzie-memory\1/.test(code);
}

module.exports = { checkNextApp, isNextApp, nextConfigFile, SETTING };
