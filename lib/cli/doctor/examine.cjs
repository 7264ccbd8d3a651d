'use strict';

const { checkAddon } = require('./addon.cjs');
const { checkGraph } = require('./graph.cjs');
const { checkNextApp } = require('./next.cjs');
const { checkNode } = require('./node.cjs');
const { checkPostgres } = require('./postgres.cjs');
const { failure } = require('./verdict.cjs');

/** Where the setting of a store comes from if no file and no option gives it. */
const VARIABLES = {
  databaseUrl: ['DATABASE_URL'],
  directUrl: ['DATABASE_DIRECT_URL', 'DATABASE_URL_UNPOOLED'],
  'neo4j.uri': ['NEO4J_URI'],
};

/**
 * Every check that can be made, in the order in which things have to be put right.
 *
 * @param {import('../context.cjs').Context} context
 * @returns {Promise<import('./verdict.cjs').Check[]>}
 */
async function examine(context) {
  const addon = checkAddon();
  const checks = [checkNode(process.versions.node), addon, ...checkNextApp(context.folder)];
  if (addon.state === 'error') return checks;
  return [...checks, ...(await examineStores(context))];
}

async function examineStores(context) {
  const { configure, shutdown, __internal: internal } = require('../../state.cjs');
  let config;
  let facts;
  try {
    config = await context.config();
    await configure(config);
    facts = await internal.inspect(context.signal);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const { message, details } = /** @type {Error & { details?: { field?: string } }} */ (error);
    return [
      failure(
        'configuration',
        { message },
        `Correct ${settingOf(details?.field, config)}, then run doctor again.`,
      ),
    ];
  } finally {
    await shutdown();
  }
  return [...checkPostgres(facts), ...checkGraph(facts)];
}

/** @param {string} [field] @param {Record<string, any>} [config] what files and options say */
function settingOf(field, config) {
  const given = field === undefined || config?.[field] !== undefined;
  const variables = given ? [] : (VARIABLES[field]?.filter((name) => process.env[name]) ?? []);
  return variables.join(' or ') || 'this setting';
}

module.exports = { examine };
