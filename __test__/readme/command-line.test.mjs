// The tables of the command line say what it takes and what it ends with.
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { synopses } from './command-line.mjs';
import { table } from './markdown.mjs';

const { EXIT } = createRequire(import.meta.url)('../../lib/cli/exit-codes.cjs');

test('every command and its arguments, in the order of --help', () => {
  const documented = table('Command line').map(([command]) => command);
  // The demo has its own help; queue's commands stand beside it.
  expect(documented).toEqual(synopses().map((synopsis) => synopsis.replace('demo [args...]', 'demo')));
});

test('every exit code', () => {
  const codes = table('Exit codes').map(([code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT));
});
