// The package as others see it: its declarations under each way to resolve them, its exports, its documented names.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { capture } from '../../scripts/lib/process.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const { constants } = require('../../lib/native.cjs');
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

describe('the package', { concurrency: false, timeout: 600_000 }, () => {
  const check = (name) => capture('npm', ['run', '--silent', `check:${name}`], { cwd: root });

  test('has declarations that hold under Node and bundlers, and an implementation that fits them', () =>
    check('types'));

  test('passes publint and attw', () => check('package'));

  for (const subpath of SUBPATHS) {
    test(`gives import and require the same of izzie-memory${subpath}`, async () => {
      const required = require(`izzie-memory${subpath}`);
      const { default: _, ...imported } = await import(`izzie-memory${subpath}`);
      assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
      for (const [name, value] of Object.entries(required)) assert.equal(imported[name], value, name);
    });
  }

  test('gives browsers and edge runtimes all names, so that they are told what is wrong and not what is missing', () => {
    const standIn = readFileSync(join(root, 'lib/unsupported/runtime.mjs'), 'utf8');
    const names = /export const \{([^}]*)\}/.exec(standIn)[1].match(/\w+/g);
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const replaced = SUBPATHS.filter((subpath) => 'browser' in exports[`.${subpath}`].import);
    const wanted = replaced.flatMap((subpath) => Object.keys(require(`izzie-memory${subpath}`)));
    assert.deepEqual(names.sort(), [...new Set(wanted)].sort());
  });

  test('hides everything else', () => {
    assert.throws(() => require('izzie-memory/lib/state.cjs'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  });
});

describe('the weights of the offline embedder', () => {
  const { folder, files } = require('@izzie-memory/minilm-static');

  test('are those that their recipe names', () => {
    const sums = readFileSync(join(folder, 'recipe', 'SHA256SUMS'), 'utf8')
      .trim()
      .split('\n');
    const named = Object.fromEntries(sums.map((line) => line.split(/\s+/).reverse()));
    const digest = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
    assert.deepEqual(Object.fromEntries(files.map((file) => [basename(file), digest(file)])), named);
  });

  test('have a name that the core knows, and the version that the package depends on', () => {
    const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
    const core = readFileSync(join(root, 'src', 'embedding', 'local.rs'), 'utf8');
    assert.ok(core.includes(`LOCAL_MODEL: &str = "${read(join(folder, 'config.json')).name}"`));
    const { dependencies, bundleDependencies } = read(join(root, 'package.json'));
    const { name, version } = read(join(folder, 'package.json'));
    assert.equal(dependencies[name], version);
    assert.deepEqual(bundleDependencies, [name]);
  });
});

describe('the declarations name what the core knows', () => {
  const declarations = readFileSync(new URL('../../index.d.ts', import.meta.url), 'utf8');
  const { defaults, limits, errorCatalogue, entityTypes, relationshipTypes } = JSON.parse(constants());

  const typeBody = (name) => declarations.match(new RegExp(`export type ${name} =(.*?);\n\n`, 's'))[1];
  const union = (name) => [...typeBody(name).matchAll(/'(\w+)'/g)].map(([, member]) => member);

  test('entity types', () => assert.deepEqual(union('EntityType').sort(), entityTypes.sort()));

  test('relationship types', () =>
    assert.deepEqual(union('InlineRelationshipType').sort(), relationshipTypes.sort()));

  test('reasons, with their meaning', () => {
    const documented = typeBody('ErrorReason').matchAll(/\/\*\* (.*) \*\/\n {2}\| '(\w+)'/g);
    const found = Object.fromEntries([...documented].map(([, meaning, reason]) => [reason, meaning]));
    const known = Object.fromEntries(errorCatalogue.map(({ reason, meaning }) => [reason, meaning]));
    assert.deepEqual(found, known);
  });

  test('defaults', () => {
    for (const [name, value] of Object.entries({ ...defaults, ...limits })) {
      const documented = declarations.match(new RegExp(`@default (\\S+)[^;]*?\\n {2}${name}\\??: `));
      assert.equal(documented?.[1].replaceAll("'", ''), String(value), name);
    }
  });
});
