'use strict';

const { createReadStream } = require('node:fs');
const { Option } = require('commander');
const { probe } = require('../../port/probe.cjs');
const { EXIT } = require('../exit-codes.cjs');
const { examples, userOf, wholeNumber, withStores } = require('../options.cjs');
const { memories } = require('../text.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('import <file>'))
    .description(
      'store the memories of a JSON Lines file or the mails of an mbox; again, nothing is stored twice',
    )
    .option('--user <id>', 'whose memories they become, whatever the file says; an mbox needs it', userOf)
    .addOption(new Option('--format <format>', 'default: as the file looks').choices(['jsonl', 'mbox']))
    .option('--verify', 'first read it through, and store nothing unless it is a whole export')
    .option(
      '--include-deleted',
      'lines that are marked deleted too: they are stored and deleted; mails: they are stored',
    )
    .option('--include-spam', 'mails that are marked as spam too')
    .option('--dry-run', 'read and check everything, and store nothing')
    .option('--chunk-size <count>', 'memories per transaction', wholeNumber)
    .addHelpText('after', examples('import --verify ada.jsonl', 'import --user ada inbox.mbox'))
    .action(action(importFile));
};

async function importFile(context, options, file) {
  const { bytes: total, format } = await probe(file);
  const layer = await context.layer();
  const result = await context.withProgress('Importing', (onProgress) =>
    layer.memory.importMemories(() => createReadStream(file), {
      userId: options.user,
      format: options.format ?? format,
      verifyFirst: options.verify,
      includeDeleted: options.includeDeleted,
      includeSpam: options.includeSpam,
      dryRun: options.dryRun,
      chunkSize: options.chunkSize,
      signal: context.signal,
      onProgress: ({ bytes, read }) => onProgress({ done: bytes, total, note: memories(read) }),
    }),
  );
  for (const { line, error } of result.failed) context.note(`line ${line}: ${error.message}`);
  for (const { line, problem } of result.unclear ?? []) context.note(`line ${line}: ${problem}`);
  context.print(result, describe(result));
  return isWhole(result) ? EXIT.OK : EXIT.FAILED;
}

/** Files of other programs have no digest, and nothing to be whole by. */
function isWhole({ failed, verified, problem }) {
  return failed.length === 0 && (verified || problem === undefined || problem === 'foreign');
}

const SEALS = {
  truncated: ' The end of the export is missing.',
  edited: ' The export was changed: its lines, count and digest do not fit together.',
  foreign: '',
};

/** @param {import('../../../index.js').ImportResult} result */
function describe({ read, stored, existing, skipped, failed, verified, problem, ...mails }) {
  const { leftOut, unclear = [], undecoded = 0 } = mails;
  const counts = [
    `${stored} stored`,
    `${existing} there before`,
    ...(leftOut ? leftOutCounts(leftOut) : skipped > 0 ? [`${skipped} ${LEFT_OUT.deleted}`] : []),
    `${failed.length} refused`,
    ...(undecoded > 0 ? [`${undecoded} with text that could not all be decoded`] : []),
    ...(unclear.length > 0 ? [`${unclear.length} lines that may begin a mail left as text`] : []),
  ];
  const seal = verified ? ' Count and digest are those of the export.' : problem ? SEALS[problem] : '';
  return `${memories(read)} read: ${counts.join(', ')}.${seal}`;
}

const LEFT_OUT = {
  deleted: 'marked deleted and passed over',
  trash: 'in the trash and passed over',
  spam: 'marked as spam and passed over',
  internal: "of the mail program's own and passed over",
};

/** @param {{ reason: string }[]} leftOut */
function leftOutCounts(leftOut) {
  const reasons = Object.entries(LEFT_OUT);
  const counted = reasons.map(([reason, text]) => [
    leftOut.filter((item) => item.reason === reason).length,
    text,
  ]);
  return counted.filter(([count]) => Number(count) > 0).map(([count, text]) => `${count} ${text}`);
}
