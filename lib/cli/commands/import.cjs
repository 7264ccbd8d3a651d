'use strict';

const { createReadStream } = require('node:fs');
const { Option } = require('commander');
const { probe } = require('../../port/probe.cjs');
const { EXIT } = require('../exit-codes.cjs');
const { examples, userOf, wholeNumber, withStores } = require('../options.cjs');
const { memories, plural } = require('../text.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('import <file>'))
    .description(
      'store the memories of a JSON Lines file or the mails of an mbox; again, nothing is stored twice',
    )
    .option('--user <id>', 'whose memories they become, whatever the file says; an mbox needs it', userOf)
    .addOption(new Option('--format <format>', 'default: as the file looks').choices(['jsonl', 'mbox']))
    .option(
      '--verify',
      'first read it through, and store nothing unless it is a whole export without a line that is refused',
    )
    .option(
      '--include-deleted',
      'lines that are marked deleted too: they are stored and deleted; mails: they are stored',
    )
    .option('--include-spam', 'mails that are marked as spam too')
    .option('--restore', 'bring back those that are there and marked deleted')
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
      restore: options.restore,
      dryRun: options.dryRun,
      chunkSize: options.chunkSize,
      signal: context.signal,
      onProgress: ({ bytes, read }) => onProgress({ done: bytes, total, note: memories(read) }),
    }),
  );
  for (const text of notesOf(result)) context.note(text);
  const ok = isWhole(result);
  context.print({ ok, ...withoutForeignSeal(result) }, describe(result));
  return ok ? EXIT.OK : EXIT.FAILED;
}

/** Files of other programs have no digest, and nothing to be whole by. */
function isWhole({ failed, verified, problem }) {
  return failed.length === 0 && (verified || problem === undefined || problem === 'foreign');
}

/** That nothing can be verified is no problem of a file that nobody sealed. */
function withoutForeignSeal({ verified, problem, ...result }) {
  return problem === 'foreign' ? result : { ...result, verified, problem };
}

/** More notes of one kind are only counted; `--json` has them all. */
const MAX_NOTES = 100;

/** @param {import('../../../index.js').ImportResult} result */
function notesOf({ failed, leftOut = [], unclear = [], split = [], shortened = [] }) {
  const kinds = [
    failed.map(({ line, error }) => `line ${line}: ${error.message}`),
    leftOut.map(({ line, reason }) => `line ${line}: ${LEFT_OUT[reason]}`),
    unclear.map(({ line, problem }) => `line ${line}: ${problem}`),
    split.map(({ line, memories: count }) => `line ${line}: a long mail, ${memories(count)}`),
    shortened.map(({ line, fields }) => `line ${line}: metadata shortened: ${fields.join(', ')}`),
  ];
  return kinds.flatMap((notes) =>
    notes.length <= MAX_NOTES
      ? notes
      : [...notes.slice(0, MAX_NOTES), `and ${notes.length - MAX_NOTES} more like this; --json lists all`],
  );
}

const SEALS = {
  truncated: ' The end of the export is missing.',
  edited: ' The export was changed: its lines, count and digest do not fit together.',
  unread: ' A line is too long to be read, so the digest is not known.',
  foreign: '',
};

/** @param {import('../../../index.js').ImportResult} result */
function describe({
  read,
  stored,
  existing,
  deleted,
  restored,
  skipped,
  failed,
  verified,
  problem,
  ...mails
}) {
  const { leftOut, unclear = [], undecoded = 0, datesGuessed = 0, split = [], shortened = [] } = mails;
  const counts = [
    `${stored} stored`,
    `${existing} there before`,
    ...(deleted > 0 ? [`${deleted} there before and deleted (--restore brings them back)`] : []),
    ...(restored > 0 ? [`${restored} brought back`] : []),
    ...(leftOut ? leftOutCounts(leftOut) : skipped > 0 ? [`${skipped} ${LEFT_OUT.deleted}`] : []),
    `${failed.length} refused`,
    ...(undecoded > 0 ? [`${undecoded} with text that could not all be decoded`] : []),
    ...(unclear.length > 0 ? [`${unclear.length} lines that may begin a mail left as text`] : []),
    ...(datesGuessed > 0 ? [`${datesGuessed} without a date that can be read, dated otherwise`] : []),
    ...(split.length > 0 ? [`${split.length} too long and stored as several memories`] : []),
    ...(shortened.length > 0 ? [`${shortened.length} with shortened metadata`] : []),
  ];
  const seal = verified ? ' Count and digest are those of the export.' : problem ? SEALS[problem] : '';
  return `${leftOut ? plural(read, 'mail') : memories(read)} read: ${counts.join(', ')}.${seal}`;
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
