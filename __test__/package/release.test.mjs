// A release as npm would deliver it: the package, which has no addon, and the package of this platform's addon.
import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { symbolsNewerThan } from '../../scripts/release/glibc.mjs';
import { packRelease } from '../../scripts/release/pack.mjs';
import { hostTriple } from '../../scripts/setup.mjs';
import { Project, root } from '../example/support.mjs';

describe('a release', { concurrency: false, timeout: 1_200_000 }, () => {
  const project = new Project();
  const tarballs = project.path('tarballs');
  let main;

  before(async () => {
    project.write('package.json', '{ "private": true }');
    [main] = await packRelease({ addons: root, out: tarballs, targets: [await hostTriple()] });
  });

  after(() => project.remove());

  test('is two tarballs here', () => {
    assert.equal(readdirSync(tarballs).length, 2);
    assert.match(basename(main), /^izzie-memory-\d/);
  });

  test('stores, retrieves, is killed and opens again where it is installed', async () => {
    const printed = await project.node([join(root, 'scripts', 'release', 'try.mjs'), tarballs]);
    assert.match(printed, /\d+ memories outlived the kill\n$/);
  });

  test('says what to install when the addon is missing', async () => {
    await project.npm('install', '--no-save', '--omit=optional', main);
    project.write('load.cjs', "require('izzie-memory');");
    await assert.rejects(project.node(['load.cjs']), (error) => {
      assert.match(error.message, /lacks its native addon for \S+: @izzie-memory\/binding-\S+@\S+ is not/);
      assert.match(error.message, /npm install @izzie-memory\/binding-/);
      return true;
    });
  });

  test('says which addon is broken, and how', async () => {
    const addon = readdirSync(join(root)).find((name) => name.endsWith('.node'));
    cpSync(join(root, 'package.json'), project.path('node_modules', 'izzie-memory', addon));
    const { message } = await project.node(['load.cjs']).catch((error) => error);
    assert.match(message, /The native addon of izzie-memory for \S+ cannot be loaded: .*\.node/);
  });

  test('says which platforms there are on one that has no addon', async () => {
    project.write(
      'elsewhere.cjs',
      "Object.defineProperty(process, 'arch', { value: 'mips' }); require('izzie-memory');",
    );
    const { message } = await project.node(['elsewhere.cjs']).catch((error) => error);
    assert.match(message, /no native addon for \w+-mips(-\w+)?\. There are addons for linux-x64-gnu, /);
  });
});

describe('the glibc that an addon needs', () => {
  const table = `
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.2.5) malloc
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.28)  fcntl64
0000000000000000  w   DF *UND*  0000000000000000 (GLIBC_2.34)  dlopen
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.3) memcpy
`;

  test('is compared by numbers, symbol by symbol', () => {
    assert.deepEqual(symbolsNewerThan('2.28', table), ['dlopen (2.34)']);
    assert.deepEqual(symbolsNewerThan('2.34', table), []);
  });

  test('is not taken for granted', () => {
    assert.throws(() => symbolsNewerThan('2.28', 'no dynamic symbols'), /no version of glibc/);
  });
});
