// The files of the package with its production dependencies beside them, as an app has it: the command line needs no more.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { cli, cliJson, useFolder } from '../support/cli.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { bin, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** So that doctor need not wait for an embedded database. */
const NOWHERE = 'postgres://someone:secret@127.0.0.1:9/nowhere';

const folder = useFolder();
const installed = join(folder.path, 'installed');
const binary = join(installed, bin['izzie-memory']);

beforeAll(() => {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: root, encoding: 'utf8' }),
  );
  for (const { path } of packed.files.filter((file) => !file.path.startsWith('node_modules/'))) {
    mkdirSync(dirname(join(installed, path)), { recursive: true });
    cpSync(join(root, path), join(installed, path));
  }
  for (const name of Object.keys(dependencies)) {
    const link = join(installed, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
}, 240_000);

describe('the demo of the package', () => {
  it('keeps its memories apart from the app, and does without a driver of its own', async () => {
    const { code, answer } = await cliJson(['demo'], { cwd: folder.path, binary });
    expect(answer).toMatchObject({ ok: true, stored: 63, failures: [] });
    expect(answer.questions.every(({ isFound }) => isFound)).toBe(true);
    expect(answer.drift).toBeUndefined();
    expect(code).toBe(0);
    expect(existsSync(join(folder.path, '.izzie-memory-demo'))).toBe(true);
    expect(existsSync(join(folder.path, '.izzie-memory'))).toBe(false);
  }, 480_000);

  it('has help of its own, and refuses what it does not know with 2', async () => {
    const help = await cli(['demo', '--help'], { binary });
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^izzie-memory demo \[FILE]/);
    expect((await cli(['demo', '--bogus'], { binary })).code).toBe(2);
  });
});

describe('init', () => {
  const EXAMPLE = join(root, 'examples/nextjs');

  /** All files below a folder, by their path in it. */
  function contents(base, inner = '.') {
    const entries = readdirSync(join(base, inner), { withFileTypes: true });
    const files = entries.flatMap((entry) => {
      const path = join(inner, entry.name);
      return entry.isDirectory() ? contents(base, path) : [[path, readFileSync(join(base, path), 'utf8')]];
    });
    return files;
  }

  function makeApp(name, files = {}) {
    const app = join(folder.path, name);
    mkdirSync(app);
    folder.write(`${name}/package.json`, '{ "dependencies": { "next": "16.0.0", "izzie-memory": "0.1.0" } }');
    for (const [file, content] of Object.entries(files)) folder.write(`${name}/${file}`, content);
    return app;
  }

  it('writes the routes of the example, word for word, and nothing that they import is missing', async () => {
    const app = makeApp('fresh');
    const { code, answer } = await cliJson(['init'], { cwd: app, binary });
    expect(code).toBe(0);
    expect(new Set(answer.files.map(({ state }) => state))).toEqual(new Set(['written']));
    for (const inner of [
      'app/api/persistence',
      'app/api/cron',
      'lib/persistence',
      'lib/memory',
      'lib/server',
    ]) {
      expect(contents(app, inner)).toEqual(contents(EXAMPLE, inner));
    }
    const imports = contents(app, '.').flatMap(([, text]) => [...text.matchAll(/from '@\/([^']+)'/g)]);
    expect(imports.length).toBeGreaterThan(0);
    for (const [, path] of imports) {
      const candidates = ['.ts', '.tsx', '/index.ts'].map((end) => join(app, path + end));
      expect(candidates.some(existsSync), path).toBe(true);
    }
  });

  it('adds settings where there are none, with a token of its own', async () => {
    const tokens = ['one', 'two'].map((name) => makeApp(name));
    for (const app of tokens) expect((await cli(['init'], { cwd: app, binary })).code).toBe(0);
    const [one, two] = tokens.map((app) => readFileSync(join(app, '.env.local'), 'utf8'));
    for (const name of ['PERSISTENCE_TOKEN', 'CRON_SECRET']) {
      expect(one).toMatch(new RegExp(`^${name}=[\\w-]{32}$`, 'm'));
    }
    expect(one).not.toBe(two);
    expect(
      (await cliJson(['doctor', '--database-url', NOWHERE], { cwd: tokens[0], binary })).answer.checks,
    ).toContainEqual({
      name: 'next',
      state: 'ok',
      found: 'next.config.ts leaves izzie-memory to Node',
    });
  });

  it('never overwrites without --force, and then only what differs', async () => {
    const app = makeApp('mine', { '.env.local': 'MINE=1\n', 'next.config.mjs': 'export default {};\n' });
    await cli(['init'], { cwd: app, binary });
    folder.write('mine/lib/persistence/index.ts', '// mine\n');
    const refused = await cli(['init'], { cwd: app, binary });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`are there and differ: ${join('lib', 'persistence', 'index.ts')}.`);
    expect(readFileSync(join(app, 'lib/persistence/index.ts'), 'utf8')).toBe('// mine\n');
    const { answer } = await cliJson(['init', '--force'], { cwd: app, binary });
    const changed = answer.files.filter(({ state }) => state !== 'kept');
    expect(changed).toEqual([{ path: join('lib', 'persistence', 'index.ts'), state: 'replaced' }]);
    expect(answer.steps[0]).toContain('npm install zod');
    expect(answer.steps[1]).toContain('to next.config.mjs');
    expect(answer.steps[2]).toContain('to .env.local, as long random texts: PERSISTENCE_TOKEN, CRON_SECRET');
    expect(readFileSync(join(app, '.env.local'), 'utf8')).toBe('MINE=1\n');
    expect(readFileSync(join(app, 'next.config.mjs'), 'utf8')).toBe('export default {};\n');
  });

  it('goes under src where the app has it, and only names files with --dry-run', async () => {
    const app = makeApp('with-src');
    mkdirSync(join(app, 'src/app'), { recursive: true });
    const { answer } = await cliJson(['init', '--dry-run', 'with-src'], { cwd: folder.path, binary });
    expect(answer.files.map(({ path }) => path)).toContain(join('src', 'lib', 'persistence', 'index.ts'));
    expect(readdirSync(app).sort()).toEqual(['package.json', 'src']);
  });

  it('refuses a folder without a Next.js app', async () => {
    const { code, stderr } = await cli(['init', 'installed'], { cwd: folder.path, binary });
    expect(code).toBe(1);
    expect(stderr).toContain('has no Next.js app');
  });
});
