'use strict';

const { Option } = require('commander');
const { EXIT } = require('../exit-codes.cjs');
const { examples, userOf, wholeNumber, withStores } = require('../options.cjs');
const { plural, table } = require('../text.cjs');

const PAGE = 1000;

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  const queue = program
    .command('queue')
    .description('what is owed to the graph and to the models: list it, try it again, give it up')
    .addHelpText(
      'after',
      examples('queue list --state dead', 'queue retry', 'queue purge 0b6f8a52-3f0e-4a54-9d0d-6f8b0d7b8b11'),
    );
  withStores(queue.command('list', { isDefault: true }))
    .description('what is owed, a page at a time')
    .option('--user <id>', "only this user's memories", userOf)
    .addOption(new Option('--state <state>', 'only these').choices(['pending', 'dead']))
    .addOption(new Option('--target <target>', 'only these').choices(['graph', 'embedding', 'extraction']))
    .option('--limit <count>', 'at most this many', wholeNumber, 100)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(list));
  withStores(queue.command('retry [ids...]'))
    .description('have what was put aside tried again: of these memories, or of all')
    .action(action(retry));
  withStores(queue.command('purge [ids...]'))
    .description('give up what was put aside for these memories; a check will find that they differ')
    .option('--all', 'of all memories')
    .action(action(purge));
};

async function list(context, { user: userId, state, target, limit, cursor }) {
  const layer = await context.layer();
  const page = await layer.sync.getQueue({ userId, state, target, limit, cursor, signal: context.signal });
  context.print(page, describe(page));
  return EXIT.OK;
}

function describe({ items, nextCursor }) {
  if (items.length === 0) return 'Nothing is owed.';
  const head = ['MEMORY', 'USER', 'TARGET', 'STATE', 'ATTEMPTS', 'NEXT ATTEMPT', 'LAST ERROR'];
  const rows = items.map(({ memoryId, userId, target, state, attempts, nextAttemptAt, lastError = '' }) => {
    return [memoryId, userId, target, state, attempts, nextAttemptAt.toISOString(), lastError];
  });
  const more = nextCursor ? `\nThere is more: --cursor ${nextCursor}` : '';
  return table([head, ...rows]) + more;
}

async function retry(context, _options, ids) {
  const layer = await context.layer();
  const result = await layer.sync.retryNow(ids.length > 0 ? ids : undefined);
  context.print(result, `${plural(result.revived, 'debt')} will be tried again.`);
  return EXIT.OK;
}

async function purge(context, { all }, ids) {
  if (Boolean(all) === ids.length > 0) {
    context.note('izzie-memory: queue purge takes either ids of memories or --all.');
    return EXIT.USAGE;
  }
  const layer = await context.layer();
  const result = all ? await purgeAll(layer, context.signal) : await layer.sync.purgeDead(ids);
  context.print(result, `${plural(result.purged, 'debt')} given up.`);
  return EXIT.OK;
}

/** Page by page: what is purged is no longer on the next one. */
async function purgeAll({ sync }, signal) {
  let purged = 0;
  for (;;) {
    const { items } = await sync.getQueue({ state: 'dead', limit: PAGE, signal });
    if (items.length === 0) return { purged };
    purged += (await sync.purgeDead([...new Set(items.map(({ memoryId }) => memoryId))])).purged;
  }
}
