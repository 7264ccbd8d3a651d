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
  context.print(result, dryRun ? plan(result) : summary(result));
  return EXIT.OK;
}

/** SQL that can be piped into psql, whatever there is to do. */
const plan = ({ sql }) => sql || '-- The schema is up to date.';

function summary({ applied, adopted }) {
  const lines = applied.map((name) => `applied ${name}`);
  if (applied.length === 0) lines.push('The schema is up to date.');
  if (adopted.rows > 0) lines.push(`adopted ${memories(adopted.rows)} that were there before`);
  if (adopted.pending > 0)
    lines.push(`left ${memories(adopted.pending)} that others had locked to the next sync`);
  for (const { id, error } of adopted.failed) lines.push(`not adopted: ${id}: ${error.message}`);
  return lines.join('\n');
}
