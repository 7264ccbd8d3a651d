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
  let packageManagers = 0;

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

  it('writes what is missing beside files that differ, and replaces these with --force only', async () => {
    const app = makeApp('mine', { '.env.local': 'MINE=1\n', 'next.config.mjs': 'export default {};\n' });
    const own = join('lib', 'persistence', 'index.ts');
    const other = join('lib', 'server', 'handler.ts');
    for (const path of [own, other]) {
      mkdirSync(dirname(join(app, path)), { recursive: true });
      folder.write(join('mine', path), '// mine\n');
    }
    const dry = await cliJson(['init', '--dry-run'], { cwd: app, binary });
    expect(dry.answer.files).toContainEqual({ path: own, state: 'differs' });
    expect(existsSync(join(app, 'app'))).toBe(false);
    const first = await cliJson(['init'], { cwd: app, binary });
    expect(first.code).toBe(0);
    const left = first.answer.files.filter(({ state }) => state !== 'written');
    expect(left).toEqual([own, other].map((path) => ({ path, state: 'differs' })));
    expect(first.answer.steps[0]).toContain(`were left as they are: ${own}, ${other}. `);
    expect(first.answer.steps[0]).toContain('--force');
    for (const path of [own, other]) expect(readFileSync(join(app, path), 'utf8')).toBe('// mine\n');
    expect(contents(app, 'app/api')).toEqual(
      contents(EXAMPLE, 'app/api').filter(([path]) => !path.includes('memories')),
    );
    const { answer } = await cliJson(['init', '--force'], { cwd: app, binary });
    const changed = answer.files.filter(({ state }) => state !== 'kept');
    expect(changed).toEqual([own, other].map((path) => ({ path, state: 'replaced' })));
    expect(contents(app, 'lib/persistence')).toEqual(contents(EXAMPLE, 'lib/persistence'));
    expect(answer.steps[0]).toContain('npm install zod');
    expect(answer.steps[1]).toContain('to next.config.mjs');
    expect(answer.steps[2]).toContain('to .env.local, as long random texts: PERSISTENCE_TOKEN, CRON_SECRET');
    expect(readFileSync(join(app, '.env.local'), 'utf8')).toBe('MINE=1\n');
    expect(readFileSync(join(app, 'next.config.mjs'), 'utf8')).toBe('export default {};\n');
  });

  it.each([
    ['pnpm-lock.yaml', '', 'pnpm add zod', 'pnpm exec izzie-memory doctor'],
    ['yarn.lock', '', 'yarn add zod', 'yarn run izzie-memory doctor'],
    ['bun.lock', '', 'bun add zod', 'bunx izzie-memory doctor'],
    ['bun.lockb', '', 'bun add zod', 'bunx izzie-memory doctor'],
    ['package-lock.json', '{}', 'npm install zod', 'npx izzie-memory doctor'],
    [
      'package.json',
      '{"dependencies":{"next":"1","izzie-memory":"1"},"packageManager":"pnpm@9.1.0+sha512.x"}',
      'pnpm add zod',
      'pnpm exec izzie-memory doctor',
    ],
    [
      'package.json',
      '{"dependencies":{"next":"1","izzie-memory":"1"},"devEngines":{"packageManager":{"name":"bun"}}}',
      'bun add zod',
      'bunx izzie-memory doctor',
    ],
    ['../pnpm-workspace.yaml', '', 'pnpm add zod', 'pnpm exec izzie-memory doctor'],
  ])('speaks of the package manager of the app: %s', async (file, content, add, run) => {
    const name = `manager-${packageManagers++}`;
    mkdirSync(join(folder.path, name));
    const app = makeApp(`${name}/app`);
    folder.write(`${name}/app/${file}`, content);
    const env = { npm_config_user_agent: 'npm/10.0.0 node/v20.0.0' };
    const { answer } = await cliJson(['init', '--dry-run'], { cwd: app, env, binary });
    expect(answer.steps).toContain(`Run: ${add}`);
    expect(answer.steps.at(-1)).toBe(`Run: ${run}`);
  });

  it('speaks of the package manager that runs it where the app names none', async () => {
    const app = makeApp('managed-by-nobody');
    for (const [agent, add] of [
      ['pnpm/9.1.0 npm/? node/v20.0.0', 'pnpm add zod'],
      ['yarn/4.0.0 npm/? node/v20.0.0', 'yarn add zod'],
      ['bun/1.2.0 npm/? node/v20.0.0', 'bun add zod'],
      ['other/1.0.0', 'npm install zod'],
    ]) {
      const env = { npm_config_user_agent: agent };
      const { answer } = await cliJson(['init', '--dry-run'], { cwd: app, env, binary });
      expect(answer.steps).toContain(`Run: ${add}`);
    }
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
