'use strict';

const { EXIT } = require('../exit-codes.cjs');
const { sentenceOf } = require('../failure.cjs');
const { examples, withStores } = require('../options.cjs');
const { memories, table } = require('../text.cjs');

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
  const sync = await layer.sync.getStats();
  context.print({ ...health, sync }, describe(health, sync));
  return health.status === 'healthy' && !sync.unavailable ? EXIT.OK : EXIT.UNHEALTHY;
}

function describe({ status: state, stores, reasons }, sync) {
  const rows = [
    ['Health', state],
    ['Postgres', storeState(stores.vectorStore)],
    ['Graph', storeState(stores.graphStore)],
    ...syncRows(sync),
  ];
  const told = [...reasons, ...Object.values(sync.unavailable ?? {})].map(
    ({ code, message }) => `${code}: ${sentenceOf({ reason: code, message })}`,
  );
  return [table(rows), ...new Set(told)].join('\n');
}

function storeState({ available, healthy, error }) {
  if (error) return error;
  return available ? 'available' : healthy ? 'not configured' : 'not available';
}

/** What a store that is away would have said is unknown, not 0. */
const UNKNOWN = 'unknown';

function syncRows({ vectorStoreCount, graphStoreCount, syncPercentage, lastSync, ...waiting }) {
  const { pending, dead, conflicts, embedding, extraction } = waiting;
  const share = `${syncPercentage} % (${graphStoreCount} of ${vectorStoreCount} memories in the graph)`;
  if (vectorStoreCount === null) return [['In step', UNKNOWN]];
  return [
    ['In step', syncPercentage === null ? `${UNKNOWN} (of ${memories(vectorStoreCount)})` : share],
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
