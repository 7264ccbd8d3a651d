'use strict';

const { existsSync } = require('node:fs');
const { resolve } = require('node:path');
const { pathToFileURL } = require('node:url');

/** Looked for in the folder the command runs in. */
const CONFIG_FILES = ['izzie-memory.config.mjs', 'izzie-memory.config.cjs', 'izzie-memory.config.js'];

/**
 * The configuration of a command: the options before the configuration file; what both leave open is read from the
 * environment by the package.
 *
 * @param {{ databaseUrl?: string, neo4jUri?: string, config?: string }} options
 * @param {string} folder
 * @returns {Promise<Record<string, any>>}
 */
async function configOf({ databaseUrl, neo4jUri, config: file }, folder) {
  const config = { ...(await readConfigFile(file, folder)) };
  if (databaseUrl !== undefined) {
    Object.assign(config, { databaseUrl, directUrl: undefined, embedded: undefined });
  }
  if (neo4jUri !== undefined) config.neo4j = { ...config.neo4j, uri: neo4jUri };
  return config;
}

/** @param {string | undefined} file @param {string} folder */
async function readConfigFile(file, folder) {
  const name = file ?? CONFIG_FILES.find((candidate) => existsSync(resolve(folder, candidate)));
  if (name === undefined) return {};
  const path = resolve(folder, name);
  if (!existsSync(path)) throw new Error(`${path} is not there; --config names a file with a configuration.`);
  const { default: config } = await import(pathToFileURL(path).href);
  if (typeof config === 'object' && config !== null) return config;
  throw new Error(`${path} must export a configuration as its default, such as { databaseUrl: '…' }.`);
}

module.exports = { configOf };
