'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { checkNextApp } = require('../doctor/next.cjs');
const { packageManagerOf } = require('./package-manager.cjs');

/** What the guard of the routes compares with. */
const SECRETS = ['PERSISTENCE_TOKEN', 'CRON_SECRET'];

/** Packages that the routes import. */
const PACKAGES = ['izzie-memory', 'zod'];

const CRON =
  'Have GET /api/cron/drain called every few minutes with CRON_SECRET as bearer token (crons in vercel.json).';

/**
 * What is left to a person.
 *
 * @param {string} app
 * @returns {string[]}
 */
function nextSteps(app) {
  const manager = packageManagerOf(app);
  return [
    ...packages(app, manager),
    ...nextConfig(app),
    ...secrets(app),
    ...alias(app),
    CRON,
    `Run: ${manager.run} izzie-memory doctor`,
  ];
}

function packages(app, { add }) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    readFileSync(join(app, 'package.json'), 'utf8'),
  );
  const missing = PACKAGES.filter((name) => !(name in dependencies || name in devDependencies));
  return missing.length === 0 ? [] : [`Run: ${add} ${missing.join(' ')}`];
}

function nextConfig(app) {
  return checkNextApp(app).flatMap(({ advice }) => advice ?? []);
}

/** Of an .env.local that was there before. */
function secrets(app) {
  const file = join(app, '.env.local');
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  const missing = SECRETS.filter((name) => !new RegExp(`^${name}=`, 'm').test(text));
  return missing.length === 0 ? [] : [`Add to .env.local, as long random texts: ${missing.join(', ')}`];
}

/** The routes import by `@/`, as new Next.js apps do. */
function alias(app) {
  const file = join(app, 'tsconfig.json');
  const isThere = existsSync(file) && /"@\/\*"/.test(readFileSync(file, 'utf8'));
  return isThere
    ? []
    : ['Give tsconfig.json the alias: "paths": { "@/*": ["./*"] }, or ["./src/*"] with a src folder.'];
}

module.exports = { nextSteps };
