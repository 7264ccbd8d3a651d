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
  const left = force ? [] : files.filter(({ state }) => state === 'differs').map(({ path }) => path);
  if (!dryRun) writeFiles(files, force);
  const steps = [...merge(left), ...nextSteps(app)];
  const done = { missing: 'written', same: 'kept', differs: force ? 'replaced' : 'differs' };
  const told = files.map(({ path, state }) => ({ path, state: dryRun ? state : done[state] }));
  context.print({ app, dryRun, files: told, steps }, describe(told, steps));
  return EXIT.OK;
}

/** Files of the app's own stay as they are, and so may lack what the routes import. @param {string[]} paths */
function merge(paths) {
  if (paths.length === 0) return [];
  return [
    `These are there and differ, and were left as they are: ${paths.join(', ')}. Compare them, or have them replaced: --force.`,
  ];
}

function describe(files, steps) {
  const lines = files.map(({ path, state }) => `${state.padEnd(8)}  ${path}`);
  return [...lines, ...steps.map((step, index) => `${index + 1}. ${step}`)].join('\n');
}
