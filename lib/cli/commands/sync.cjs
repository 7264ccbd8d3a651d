'use strict';

const { Argument, Option } = require('commander');
const { EXIT } = require('../exit-codes.cjs');
const { examples, userOf, wholeNumber, withStores } = require('../options.cjs');
const { memories, plural, seconds, table } = require('../text.cjs');

const STRATEGIES = ['vector_wins', 'graph_wins', 'latest_wins', 'merge', 'manual'];

/** What each operation does with the service, given the options that the call takes. */
const OPERATIONS = {
  check: (sync, { userId, limit, deep, ...call }) =>
    sync.fullSync({ userId, limit, deep, ...call, dryRun: true }),
  repair: async (sync, { userId, limit, deep, conflictStrategy, ...call }) => {
    const found = await sync.checkConsistency({ userId, limit, deep, ...call });
    return sync.repairInconsistencies(found, { conflictStrategy, ...call });
  },
  full: (sync, { clearExisting: _, ...options }) => sync.fullSync(options),
  rebuild: (sync, { userId, limit, clearExisting, onProgress, signal }) =>
    sync.rebuildGraph({ userId, limit, clearExisting, onProgress, signal }),
  delta: (sync, { userId, onProgress, signal }) => sync.deltaSync({ userId, onProgress, signal }),
};

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('sync'))
    .description('compare the graph with Postgres and bring it in step')
    .addArgument(new Argument('[operation]', 'what to do').choices(Object.keys(OPERATIONS)).default('check'))
    .option('--user <id>', "only this user's memories", userOf)
    .option('--limit <count>', 'list or repair at most this many differences', wholeNumber)
    .option('--deep', 'read every node back instead of comparing digests (check, repair, full)')
    .option('--dry-run', 'write nothing and tell what differs, whatever the operation')
    .option('--clear-existing', 'remove what is in the graph first (rebuild)')
    .addOption(new Option('--conflicts <strategy>', 'who wins (repair, full)').choices(STRATEGIES))
    .addHelpText(
      'after',
      `
Operations:
  check    what differs; nothing is written
  repair   check, then repair what was found
  full     pay what is owed, check and repair
  rebuild  write the whole graph anew, without asking a model
  delta    pay what is owed, and compare nothing
${examples('sync', 'sync repair --user ada', 'sync rebuild --clear-existing')}`,
    )
    .action(action(run));
};

async function run(context, options, chosen) {
  const operation = options.dryRun ? 'check' : chosen;
  const layer = await context.layer();
  const result = await context.withProgress(operation, (onProgress) =>
    OPERATIONS[operation](layer.sync, callOf(options, { onProgress, signal: context.signal })),
  );
  context.print({ operation, ...result }, describe(operation, result));
  return exitCode(operation, result);
}

function callOf({ user: userId, limit, deep, clearExisting, conflicts: conflictStrategy }, call) {
  return { userId, limit, deep, clearExisting, conflictStrategy, ...call };
}

/** A difference that a check finds is news, one that a repair could not mend is a failure. */
function exitCode(operation, { inconsistencies, failed }) {
  if (operation === 'check') return inconsistencies.length > 0 ? EXIT.UNHEALTHY : EXIT.OK;
  return failed > 0 ? EXIT.FAILED : EXIT.OK;
}

/** @param {string} operation @param {import('../../../index.js').SyncOutcome} result */
function describe(operation, { inconsistencies, pending, ...result }) {
  const lines = [];
  if (operation === 'check') {
    if (inconsistencies.length > 0) lines.push(table(inconsistencies.map(row)));
    lines.push(verdict(inconsistencies, result));
  } else {
    lines.push(outcome(result));
  }
  if (pending > 0) lines.push(`${memories(pending)} still owed to the graph.`);
  return lines.join('\n');
}

const row = ({ memoryId, issue, fields, details }) => [memoryId, issue, fields.join(', '), details];

function verdict({ length }, { totalChecked, duration }) {
  const found = length === 0 ? 'no differences' : plural(length, 'difference');
  return `${memories(totalChecked)} compared in ${seconds(duration)}: ${found}.`;
}

/** @param {Omit<import('../../../index.js').SyncOutcome, 'inconsistencies' | 'pending'>} result */
function outcome({ repaired, failed, conflicts, duration, resumed }) {
  const before = resumed ? ', going on with an earlier run' : '';
  const open = conflicts > 0 ? `, ${plural(conflicts, 'conflict')} left open` : '';
  return `${memories(repaired)} written to the graph, ${failed} failed${open}${before}, in ${seconds(duration)}.`;
}
