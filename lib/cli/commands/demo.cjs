'use strict';

const { pathToFileURL } = require('node:url');
const { join } = require('node:path');
const { EXIT } = require('../exit-codes.cjs');
const { sentenceOf } = require('../failure.cjs');

const FOLDER = join(__dirname, '../../../demo');

/** Not the folder of the app's own memories. */
const STORE = '.izzie-memory-demo';

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  program
    .command('demo [args...]')
    .description('store sample mails, ask about them, damage the graph and repair it; needs no server')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(action(demo));
};

/** The options are the demo's own: `npm run demo` takes the same. */
async function demo(context, _options, args) {
  const { helpOf, parseOptions } = await load('options.mjs');
  const options = parsed(context, () => parseOptions(args));
  if (!options) return EXIT.USAGE;
  if (options.help) {
    process.stdout.write(helpOf({ usage: 'izzie-memory demo [FILE] [options]', folder: STORE }));
    return EXIT.OK;
  }
  const { runDemo } = await load('demo.mjs');
  const folder = options.folder ?? (options.database === undefined ? STORE : undefined);
  return (await runDemo({ ...options, folder }, context.signal)) ? EXIT.OK : EXIT.FAILED;
}

/** What is wrong with the options is told in one line. */
function parsed(context, parse) {
  try {
    return parse();
  } catch (error) {
    context.note(`izzie-memory: ${sentenceOf(error)} (izzie-memory demo --help tells what there is)`);
    return undefined;
  }
}

const load = (file) => import(pathToFileURL(join(FOLDER, file)).href);
