'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const util = require('node:util');

/**
 * Adds to the environment what the `.env` files of a folder say, in Next.js's order of precedence: the environment
 * itself, then `.env.<mode>.local`, `.env.local` (not in tests), `.env.<mode>`, `.env`. Values are taken as they are
 * written, `$NAME` is not expanded.
 *
 * @param {string} folder
 * @param {Record<string, string | undefined>} env
 */
function loadEnvFiles(folder, env) {
  const mode = env.NODE_ENV || 'development';
  const local = mode === 'test' ? [] : ['.env.local'];
  for (const name of [`.env.${mode}.local`, ...local, `.env.${mode}`, '.env']) {
    for (const [key, value] of Object.entries(readEnvFile(join(folder, name)))) env[key] ??= value;
  }
}

/** @param {string} path @returns {Record<string, string | undefined>} */
function readEnvFile(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return {};
    throw error;
  }
  if (!util.parseEnv) {
    throw new Error(`${path} cannot be read by Node ${process.versions.node}: .env files need Node 20.12`);
  }
  return util.parseEnv(text);
}

module.exports = { loadEnvFiles };
