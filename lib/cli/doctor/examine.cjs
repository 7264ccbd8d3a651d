'use strict';

const { checkAddon } = require('./addon.cjs');
const { checkGraph } = require('./graph.cjs');
const { checkNextApp } = require('./next.cjs');
const { checkNode } = require('./node.cjs');
const { checkPostgres } = require('./postgres.cjs');
const { failure } = require('./verdict.cjs');

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
  let facts;
  try {
    await configure(await context.config());
    facts = await internal.inspect(context.signal);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const { message } = /** @type {Error} */ (error);
    return [failure('configuration', { message }, 'Correct this setting, then run doctor again.')];
  } finally {
    await shutdown();
  }
  return [...checkPostgres(facts), ...checkGraph(facts)];
}

module.exports = { examine };
