#!/usr/bin/env node
// Entry point of `npm run demo`. Imports no npm package itself: on a fresh clone there is none before the set-up.
import { HELP, parseOptions } from './options.mjs';
import { setUp } from './set-up.mjs';

const INTERRUPTED = 130;

process.exitCode = await main(process.argv.slice(2));

async function main(argv) {
  let options;
  try {
    options = parseOptions(argv);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort()); // a second Ctrl-C ends the process at once
  process.stdout.on('error', () => interrupt.abort()); // nobody reads on, as with `| head`
  try {
    await setUp();
    const { runDemo } = await import('./demo.mjs');
    return (await runDemo(options, interrupt.signal)) ? 0 : 1;
  } catch (error) {
    if (interrupt.signal.aborted) {
      process.stderr.write('Stopped. What was stored is kept; the next run goes on from there.\n');
      return INTERRUPTED;
    }
    process.stderr.write(`${error.reason || error.code ? error.message : error.stack}\n`);
    return 1;
  }
}
