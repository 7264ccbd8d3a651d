'use strict';

const { EXIT } = require('../exit-codes.cjs');
const { examples, withStores } = require('../options.cjs');
const { memories } = require('../text.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('migrate'))
    .description('create or update the tables; uses DATABASE_DIRECT_URL where there is one')
    .option('--dry-run', 'print the SQL that would be run, and run nothing')
    .addHelpText('after', examples('migrate', 'migrate --dry-run > migration.sql'))
    .action(action(migrate));
};

async function migrate(context, { dryRun = false }) {
  const layer = await context.layer();
  const result = await context.withProgress('Adopting', (onProgress) =>
    layer.migrate({ dryRun, onProgress, signal: context.signal }),
  );
  const { failed } = result.adopted;
  for (const { id, error } of failed) context.note(`memory ${id}: ${error.message}`);
  context.print(result, dryRun ? plan(result) : summary(result));
  return failed.length === 0 ? EXIT.OK : EXIT.FAILED;
}

/** SQL that can be piped into psql, whatever there is to do. */
const plan = ({ sql }) => sql || '-- The schema is up to date.';

/** @param {import('../../../index.js').Migrated} result */
function summary({ applied, adopted: { rows, pending, failed } }) {
  const lines = applied.map((name) => `applied ${name}`);
  if (applied.length === 0) lines.push('The schema is up to date.');
  if (rows > 0) lines.push(`${memories(rows)} adopted that were there before.`);
  if (pending > 0)
    lines.push(`${memories(pending)} were locked by others; the next migrate or sync adopts them.`);
  if (failed.length > 0) lines.push(`${memories(failed.length)} could not be adopted, see stderr.`);
  return lines.join('\n');
}
