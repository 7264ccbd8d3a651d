'use strict';

const { EXIT } = require('../exit-codes.cjs');
const { jsonOf, sentenceOf } = require('../failure.cjs');
const { examples, withStores } = require('../options.cjs');
const { table } = require('../text.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('status'))
    .description('health of both stores, and how far the graph is in step')
    .addHelpText('after', examples('status', 'status --json | jq .sync.syncPercentage'))
    .action(action(status));
};

async function status(context) {
  const layer = await context.layer();
  const health = await layer.memory.getHealth();
  const { sync, failure } = await statsOf(layer);
  const result = { ...health, sync, ...(failure ? jsonOf(failure) : {}) };
  context.print(result, describe(health, sync, failure));
  return health.status === 'healthy' && !failure ? EXIT.OK : EXIT.UNHEALTHY;
}

/** Statistics need both stores; health is told without them too. */
async function statsOf(layer) {
  try {
    return { sync: await layer.sync.getStats() };
  } catch (failure) {
    return { sync: null, failure };
  }
}

function describe({ status: state, stores, reasons }, sync, failure) {
  const rows = [
    ['Health', state],
    ['Postgres', storeState(stores.vectorStore)],
    ['Graph', storeState(stores.graphStore)],
    ...(sync ? syncRows(sync) : []),
  ];
  const told = reasons.map(({ code, message }) => `${code}: ${message}`);
  const known = reasons.some(({ message }) => message === failure?.message);
  if (failure && !known) told.push(sentenceOf(failure));
  return [table(rows), ...told].join('\n');
}

function storeState({ available, healthy, error }) {
  if (error) return error;
  return available ? 'available' : healthy ? 'not configured' : 'not available';
}

function syncRows({ vectorStoreCount, graphStoreCount, syncPercentage, lastSync, ...owed }) {
  const { pending, dead, conflicts, embedding, extraction } = owed;
  return [
    ['In step', `${syncPercentage} % (${graphStoreCount} of ${vectorStoreCount} memories in the graph)`],
    ['Last check', lastSync?.toISOString() ?? 'never'],
    ['Owed to the graph', `${pending}, ${dead} put aside`],
    ['Owed embeddings', owedToModel(embedding)],
    ['Owed extractions', owedToModel(extraction)],
    ['Open conflicts', conflicts],
  ];
}

function owedToModel({ pending, waiting, dead }) {
  return `${pending}, ${waiting} wait for a backfill, ${dead} put aside`;
}
