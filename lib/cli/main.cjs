'use strict';

const { CommanderError } = require('commander');
const { EXIT } = require('./exit-codes.cjs');
const { exitCodeOf, jsonOf, sentenceOf } = require('./failure.cjs');
const { createProgram } = require('./program.cjs');

/**
 * Runs the command line and sets the exit code; the process ends by itself when nothing is left to do.
 *
 * @param {string[]} argv
 */
async function run(argv) {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort()); // a second Ctrl-C ends the process at once
  process.stdout.on('error', () => interrupt.abort()); // nobody reads on, as with `| head`
  const outcome = { code: EXIT.OK };
  try {
    await createProgram(interrupt.signal, outcome).parseAsync(argv);
    process.exitCode = outcome.code;
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? stopped() : failed(error, argv.includes('--json'));
  }
}

function stopped() {
  process.stderr.write('Stopped. What was done stays done.\n');
  return EXIT.INTERRUPTED;
}

/** @param {any} error @param {boolean} isJson */
function failed(error, isJson) {
  // Commander has said what is wrong; what it calls an error includes --help and --version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
  if (isJson) process.stdout.write(`${JSON.stringify(jsonOf(error))}\n`);
  process.stderr.write(`izzie-memory: ${sentenceOf(error)}\n`);
  if (process.env.DEBUG) process.stderr.write(`${error?.stack}\n`);
  return exitCodeOf(error);
}

module.exports = { run };
