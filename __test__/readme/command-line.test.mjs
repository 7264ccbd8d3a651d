// The README's tables of the command line say what it takes and what it ends with.
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { synopses } from './command-line.mjs';
import { readme, table } from './markdown.mjs';

const { EXIT } = createRequire(import.meta.url)('../../lib/cli/exit-codes.cjs');

test('every command and its arguments, in the order of --help', () => {
  const documented = table('Command line').map(([command]) => command);
  // The demo has its own help; queue's commands stand beside it.
  expect(documented).toEqual(synopses().map((synopsis) => synopsis.replace('demo [args...]', 'demo')));
});

test('every exit code', () => {
  const section = readme.split('## Command line')[1].split('| exit code | means |')[1].split('\n\n')[0];
  const codes = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT));
});
