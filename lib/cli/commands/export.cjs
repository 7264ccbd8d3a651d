'use strict';

const { createWriteStream, existsSync } = require('node:fs');
const { rename, rm } = require('node:fs/promises');
const { pipeline } = require('node:stream/promises');
const { EXIT } = require('../exit-codes.cjs');
const { examples, userOf, withStores } = require('../options.cjs');
const { memories } = require('../text.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('export [file]'))
    .description("write a user's memories with their entities as JSON Lines; without a file, to stdout")
    .requiredOption('--user <id>', 'whose memories', userOf)
    .option('--include-deleted', 'those that are marked deleted too')
    .option('--force', 'replace the file if it is there')
    .addHelpText('after', examples('export --user ada ada.jsonl', 'export --user ada | gzip > ada.jsonl.gz'))
    .action(action(exportTo));
};

async function exportTo(context, { user, includeDeleted = false, force }, file) {
  if (file !== undefined && !force && existsSync(file)) {
    throw new Error(`${file} is there already; --force replaces it.`);
  }
  const layer = await context.layer();
  const { signal } = context;
  const counted = { memories: 0, unimportable: 0 };
  await context.withProgress('Exporting', async (onProgress) => {
    const options = { includeDeleted, signal, onProgress: (step) => onProgress(count(counted, step)) };
    await write(layer.memory.exportMemories(user, options), file, signal);
  });
  const { unimportable } = counted;
  if (unimportable > 0) {
    context.note(
      `An import will refuse ${memories(unimportable)}: too large, or metadata nested too deeply.`,
    );
  }
  if (file !== undefined) {
    context.print({ file, ...counted }, `${memories(counted.memories)} written to ${file}.`);
  }
  return EXIT.OK;
}

function count(counted, step) {
  counted.memories = step.done;
  counted.unimportable = step.unimportable;
  return step;
}

/** The file has its name only when it is whole. */
async function write(lines, file, signal) {
  if (file === undefined) {
    await pipeline(lines, process.stdout, { signal, end: false });
    return;
  }
  const partial = `${file}.partial`;
  try {
    await pipeline(lines, createWriteStream(partial), { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
