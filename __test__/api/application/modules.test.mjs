// What the application changes: five modules become one line each, and all of it compiles under `strict`.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const TSC = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');

const LINES = {
  'lib/memory/enhanced.ts': "export * from 'izzie-memory/memory/enhanced';",
  'lib/memory/index.ts': "export * from 'izzie-memory/memory';",
  'lib/persistence/index.ts': "export * from 'izzie-memory/persistence';",
  'lib/persistence/sync.ts': "export * from 'izzie-memory/persistence/sync';",
  'lib/persistence/types.ts': "export * from 'izzie-memory/persistence/types';",
};

/** The code of each file, without its comments: what a file says about the package is not what it takes of it. */
function application() {
  const app = join(FOLDER, 'app');
  const paths = readdirSync(app, { recursive: true }).filter((path) => path.endsWith('.ts'));
  return paths.sort().map((path) => ({
    path: path.replaceAll('\\', '/'),
    lines: readFileSync(join(app, path), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !/^\s*(\/\/|\/?\*)/.test(line)),
  }));
}

test('five lines name the package, each the whole of its module', () => {
  const naming = application().filter(({ lines }) => lines.some((line) => line.includes('izzie-memory')));
  expect(Object.fromEntries(naming.map(({ path, lines }) => [path, lines.join('\n')]))).toEqual(LINES);
});

test('everything compiles, its types of entities included', async () => {
  await run(process.execPath, [TSC, '-p', FOLDER]).catch(({ stdout, message }) => {
    expect(stdout || message).toBe('');
  });
});
