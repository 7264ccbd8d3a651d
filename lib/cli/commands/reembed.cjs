'use strict';

const { confirmed } = require('../confirm.cjs');
const { VectorStoreError } = require('../../errors.cjs');
const { EXIT } = require('../exit-codes.cjs');
const { examples, withStores } = require('../options.cjs');
const { memories, seconds } = require('../text.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('reembed'))
    .description("make all embeddings anew by the configured embedder, and its model the stored ones'")
    .option('-y, --yes', 'do not ask: it may cost one embedding per memory')
    .addHelpText('after', examples('reembed', 'reembed --yes'))
    .action(action(reembed));
};

async function reembed(context, { yes }) {
  const layer = await context.layer();
  const { vectorStoreCount, unavailable } = await layer.sync.getStats();
  if (unavailable?.vectorStore) throw failureOf(unavailable.vectorStore);
  const question = `Up to ${memories(vectorStoreCount)} will be embedded anew, which a paid model charges.`;
  if (!(await confirmed(question, { yes, context }))) return EXIT.USAGE;
  const result = await context.withProgress('Embedding', (onProgress) =>
    layer.sync.reembed({ onProgress, signal: context.signal }),
  );
  context.print(result, describe(result));
  return result.failed === 0 ? EXIT.OK : EXIT.FAILED;
}

/** Nobody is asked for consent to what cannot begin. */
function failureOf({ code, message }) {
  return new VectorStoreError(message, undefined, { reason: code });
}

function describe({ model, dimensions, embedded, failed, resumed, duration }) {
  const refused = failed > 0 ? `, ${failed} refused and owed` : '';
  const before = resumed ? ', going on with an earlier run' : '';
  const done = `${memories(embedded)} embedded${refused}${before} in ${seconds(duration)}`;
  return `${done}. The embeddings are of ${model} (${dimensions} dimensions).`;
}
