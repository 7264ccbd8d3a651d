'use strict';

const { confirmed } = require('../confirm.cjs');
const { EXIT } = require('../exit-codes.cjs');
const { examples, userOf, withStores } = require('../options.cjs');
const { plural, seconds } = require('../text.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('backfill'))
    .description('make the embeddings and extractions that memories lack')
    .option('--embed', 'embeddings only')
    .option('--extract', 'extractions only')
    .option('--user <id>', "only this user's memories", userOf)
    .option('--dry-run', 'count, and call no model')
    .option('-y, --yes', 'do not ask: paid models charge for it')
    .addHelpText('after', examples('backfill --dry-run', 'backfill --embed --yes'))
    .action(action(backfill));
};

async function backfill(context, { embed, extract, user: userId, dryRun, yes }) {
  const layer = await context.layer();
  const wanted = { ...parts(embed, extract), userId, signal: context.signal };
  const counted = await layer.sync.backfill({ ...wanted, dryRun: true });
  if (dryRun || isEmpty(counted.found)) {
    context.print(counted, `${lack(counted.found)}.`);
    return EXIT.OK;
  }
  const question = `${lack(counted.found)}. Paid models charge for them.`;
  if (!(await confirmed(question, { yes, context }))) return EXIT.USAGE;
  const result = await context.withProgress('Filling', (onProgress) =>
    layer.sync.backfill({ ...wanted, onProgress }),
  );
  context.print(result, describe(result));
  return result.failed === 0 ? EXIT.OK : EXIT.FAILED;
}

/** Neither named: both, where there is a model. One named: only that. */
function parts(embed, extract) {
  return embed || extract ? { embed: Boolean(embed), extract: Boolean(extract) } : {};
}

const isEmpty = ({ embed, extract }) => embed === 0 && extract === 0;

function lack({ embed, extract }) {
  return `Missing: ${plural(embed, 'embedding')} and ${plural(extract, 'extraction')}`;
}

function describe({ embedded, extracted, failed, pending, duration }) {
  const made = `${plural(embedded, 'embedding')} and ${plural(extracted, 'extraction')} made`;
  return `${made}, ${failed} refused, ${pending} left, in ${seconds(duration)}.`;
}
