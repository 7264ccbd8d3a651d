'use strict';

const { Command } = require('commander');
const { version } = require('../../package.json');
const { Context } = require('./context.cjs');
const { EXIT_HELP } = require('./exit-codes.cjs');

/** In the order of `--help`: set up, look, repair, data. */
const COMMANDS = [
  require('./commands/init.cjs'),
  require('./commands/doctor.cjs'),
  require('./commands/migrate.cjs'),
  require('./commands/status.cjs'),
  require('./commands/sync.cjs'),
  require('./commands/queue.cjs'),
  require('./commands/backfill.cjs'),
  require('./commands/reembed.cjs'),
  require('./commands/search.cjs'),
  require('./commands/import.cjs'),
  require('./commands/export.cjs'),
  require('./commands/demo.cjs'),
];

const SETTINGS_HELP = `
Settings are read from the options, then from izzie-memory.config.mjs (or --config), then from the environment:
DATABASE_URL, DATABASE_DIRECT_URL, NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD, IZZIE_MEMORY_DIR, OPENROUTER_API_KEY,
OPENAI_API_KEY; .env files are read as Next.js does. With DEBUG set, errors show where they come from.`;

/**
 * @param {AbortSignal} signal aborts the command
 * @param {{ code: number }} outcome gets the exit code of the command
 * @returns {Command}
 */
function createProgram(signal, outcome) {
  const program = new Command('izzie-memory')
    .description('Looks after the memories of izzie-memory: set-up, health, sync, data.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(izzie-memory --help tells what there is)')
    .enablePositionalOptions()
    .addHelpText('after', `${SETTINGS_HELP}\n${EXIT_HELP}`);
  for (const register of COMMANDS) register(program, (command) => actionOf(command, signal, outcome));
  return program;
}

/**
 * A command of ours; resolves to its exit code.
 * @typedef {(context: Context, options: any, ...args: any[]) => Promise<number>} CliCommand
 */

/**
 * @param {CliCommand} command
 * @param {AbortSignal} signal
 * @param {{ code: number }} outcome
 */
function actionOf(command, signal, outcome) {
  return async (...received) => {
    const [options] = received.splice(-2);
    const context = new Context(options, signal);
    try {
      outcome.code = await command(context, options, ...received);
      signal.throwIfAborted();
    } finally {
      await context.close();
    }
  };
}

module.exports = { createProgram };
