'use strict';

const { resolve } = require('node:path');
const { EXIT } = require('../exit-codes.cjs');
const { planFiles, writeFiles } = require('../init/files.cjs');
const { nextSteps } = require('../init/next-steps.cjs');
const { isNextApp } = require('../doctor/next.cjs');
const { examples, withJson } = require('../options.cjs');

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withJson(program.command('init [folder]'))
    .description(
      'write the routes /api/persistence/* and /api/cron/drain into a Next.js app, and the settings they need',
    )
    .option('--force', 'replace files that are there and differ')
    .option('--dry-run', 'name the files, and write none')
    .addHelpText('after', examples('init', 'init apps/web --dry-run', 'init --force'))
    .action(action(init));
};

async function init(context, { force = false, dryRun = false }, folder = '.') {
  const app = resolve(context.folder, folder);
  if (!isNextApp(app)) {
    throw new Error(
      `${app} has no Next.js app: its package.json does not depend on next. Run init in the app's folder.`,
    );
  }
  const files = planFiles(app);
  const inTheWay = files.filter(({ state }) => state === 'differs').map(({ path }) => path);
  if (inTheWay.length > 0 && !force) {
    throw new Error(
      `Nothing was written, for these files are there and differ: ${inTheWay.join(', ')}. --force replaces them.`,
    );
  }
  if (!dryRun) writeFiles(files);
  const steps = nextSteps(app);
  const told = files.map(({ path, state }) => ({ path, state: dryRun ? state : DONE[state] }));
  context.print({ app, dryRun, files: told, steps }, describe(told, steps));
  return EXIT.OK;
}

/** What became of a file that was in this state. */
const DONE = { missing: 'written', differs: 'replaced', same: 'kept' };

function describe(files, steps) {
  const lines = files.map(({ path, state }) => `${state.padEnd(8)}  ${path}`);
  return [...lines, ...steps.map((step, index) => `${index + 1}. ${step}`)].join('\n');
}
