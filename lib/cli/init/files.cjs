'use strict';

const { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');
const { nextConfigFile } = require('../doctor/next.cjs');
const { environmentFile, NEXT_CONFIG } = require('./settings.cjs');

/** The example app, which comes with the package: what init writes is what its tests run. */
const EXAMPLE = join(__dirname, '../../../examples/nextjs');

/** The routes, and the modules that code of the TypeScript layer imports. What these import comes with them. */
const FOLDERS = ['app/api/persistence', 'app/api/cron', 'lib/persistence', 'lib/memory'];

const IMPORT = /\bfrom '@\/([^']+)'/g;
const ENDINGS = ['.ts', '.tsx', '/index.ts'];

/**
 * A file to be there, and how it is now.
 * @typedef {{ path: string, target: string, content: string, state: 'missing' | 'same' | 'differs' }} PlannedFile
 */

/**
 * @param {string} app the folder of the app
 * @returns {PlannedFile[]}
 */
function planFiles(app) {
  const base = sourceFolder(app);
  const routes = [...withImports(FOLDERS.flatMap(filesOf))].map(([path, content]) => ({
    path: join(base, path),
    content,
  }));
  return [...routes, ...settingsOf(app)].map((file) => planned(app, file));
}

/** Next.js has its folders under `src` where `src/app` is. */
function sourceFolder(app) {
  return existsSync(join(app, 'src/app')) ? 'src' : '';
}

function filesOf(folder) {
  return readdirSync(join(EXAMPLE, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(EXAMPLE, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/**
 * These files of the example and all that they import of it.
 *
 * @param {string[]} paths
 * @returns {Map<string, string>} contents by path
 */
function withImports(paths) {
  const contents = new Map();
  const waiting = [...paths];
  for (const path of waiting) {
    if (contents.has(path)) continue;
    const content = readFileSync(join(EXAMPLE, path), 'utf8');
    contents.set(path, content);
    for (const [, module] of content.matchAll(IMPORT)) waiting.push(fileOf(module));
  }
  return new Map([...contents].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param {string} module as it is imported, without `@/` */
function fileOf(module) {
  const ending = ENDINGS.find((candidate) => existsSync(join(EXAMPLE, module + candidate)));
  if (ending === undefined) throw new Error(`The package lacks the file of its example that is ${module}.`);
  return join(module + ending);
}

/** Only where there are none: these hold the app's own settings, which nothing but a person can merge. */
function settingsOf(app) {
  const settings = [];
  if (!nextConfigFile(app)) settings.push({ path: 'next.config.ts', content: NEXT_CONFIG });
  if (!existsSync(join(app, '.env.local'))) settings.push({ path: '.env.local', content: environmentFile() });
  return settings;
}

/** @returns {PlannedFile} */
function planned(app, { path, content }) {
  const target = join(app, path);
  if (!existsSync(target)) return { path, target, content, state: 'missing' };
  const isSame = readFileSync(target, 'utf8') === content;
  return { path, target, content, state: isSame ? 'same' : 'differs' };
}

/** @param {PlannedFile[]} files @param {boolean} replaces what is there and differs */
function writeFiles(files, replaces) {
  for (const { target, content, state } of files) {
    if (state === 'same' || (state === 'differs' && !replaces)) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}

module.exports = { planFiles, writeFiles };
