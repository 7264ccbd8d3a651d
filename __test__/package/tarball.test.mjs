// The tarball: exactly the files that belong in it, and all an otherwise empty project needs to install.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { filesBelow, Project, root } from '../example/support.mjs';
import { lend, testsFor } from './runners.mjs';

const SUBPATHS = [
  '',
  '/graph',
  '/memory',
  '/memory/enhanced',
  '/persistence',
  '/persistence/sync',
  '/persistence/types',
  '/testing',
];
const SPECIFIERS = SUBPATHS.map((subpath) => `izzie-memory${subpath}`);
const FOLDERS = ['bin', 'demo', 'examples/nextjs/app/api', 'examples/nextjs/lib', 'lib'];
const ADDON = /^izzie-memory\.[a-z\d]+-[a-z\d-]+\.node$/;

const MODEL = ['config.json', 'model.safetensors', 'tokenizer.json'];
const MAX_WEIGHTS = 8 << 20;
const MAX_INSTALLED = 60e6;
/**
 * Without the embedded store and the weights of the offline embedder: 14.1 MB of addon, 0.7 of JavaScript, types and
 * README, 1.8 of what reads mail (htmlparser2, iconv-lite, postal-mime, chardet), 0.3 of the command line's libraries.
 */
const MAX_CORE = 17e6;

/** Both module systems must see the same objects: there is one state and one set of error classes. */
const CONSUMER = `
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createMemoryLayer } from 'izzie-memory';

const require = createRequire(import.meta.url);
for (const specifier of ${JSON.stringify(SPECIFIERS)}) {
  const required = require(specifier);
  const { default: _, ...imported } = await import(specifier);
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort(), specifier);
  for (const [name, value] of Object.entries(required)) assert.equal(imported[name], value, specifier + ' ' + name);
}
const layer = createMemoryLayer({ embedded: 'memory://', logger: {} });
await layer.memory.store({ userId: 'ada', content: 'Lunch with Grace Hopper from Remington Rand' });
const [found] = await layer.memory.retrieve('ada', 'whom did I have lunch with?');
await layer.close();
console.log(found.content);
`;

const bytesBelow = (folder) =>
  filesBelow(folder).reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);

describe('the tarball', { concurrency: false, timeout: 1_200_000 }, () => {
  const project = new Project();
  const installed = project.path('node_modules', 'izzie-memory');

  before(async () => {
    project.write('package.json', '{ "private": true }');
    await project.npm('install', '--no-save', `./${await project.pack()}`);
  });

  after(() => project.remove());

  test('has the library, its types, the addon of this platform and nothing else', () => {
    const inFolder = (folder) => filesBelow(join(root, folder)).map((path) => `${folder}/${path}`);
    const shipped = FOLDERS.flatMap(inFolder).filter((path) => path !== 'lib/native.d.ts');
    const files = filesBelow(installed, (path) => path === 'node_modules');
    const addons = files.filter((path) => ADDON.test(path));
    assert.equal(addons.length, 1, addons.join(', '));
    assert.deepEqual(
      files,
      [...shipped, ...addons, 'index.d.ts', 'package.json', 'LICENSE', 'README.md'].sort(),
    );
  });

  test('brings the weights of the offline embedder, without their recipe', () => {
    const weights = join(installed, 'node_modules');
    const names = ['LICENSE', 'NOTICE', 'README.md', 'index.cjs', 'package.json'];
    assert.deepEqual(
      filesBelow(weights),
      [...names, ...MODEL].map((name) => `@izzie-memory/minilm-static/${name}`).sort(),
    );
    assert.ok(bytesBelow(weights) < MAX_WEIGHTS, `${bytesBelow(weights)} bytes of weights`);
  });

  test('takes no more room than it may, with all that it depends on', () => {
    const all = bytesBelow(project.path('node_modules'));
    const optional = [
      project.path('node_modules', '@electric-sql'),
      join(installed, 'node_modules', '@izzie-memory'),
    ];
    const core = all - optional.reduce((sum, folder) => sum + bytesBelow(folder), 0);
    assert.ok(all < MAX_INSTALLED, `${all} bytes in all`);
    assert.ok(core < MAX_CORE, `${core} bytes without the embedded store and the weights`);
  });

  test('runs nothing when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'];
    assert.deepEqual(
      hooks.filter((name) => name in scripts),
      [],
    );
  });

  test('works in a project that has nothing else', async () => {
    project.write('consumer.mjs', CONSUMER);
    assert.equal(await project.node(['consumer.mjs']), 'Lunch with Grace Hopper from Remington Rand\n');
  });

  for (const [runner, pool] of [['jest'], ['vitest', 'forks'], ['vitest', 'threads']]) {
    test(`works under ${[runner, pool].filter(Boolean).join(', ')}, with layers of its own for tests`, async () => {
      if (runner === 'vitest' && pool === 'forks') lend(project, 'vitest');
      await project.node(testsFor(runner, project, pool));
    });
  }

  for (const configuration of ['tsconfig.json', 'tsconfig.bundler.json']) {
    test(`has types that hold where it is installed, ${configuration}`, async () => {
      cpSync(join(root, '__test__', 'types'), project.path('types'), { recursive: true });
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const typeRoots = join(root, 'node_modules', '@types');
      await project.node([tsc, '-p', project.path('types', configuration), '--typeRoots', typeRoots]);
    });
  }
});
