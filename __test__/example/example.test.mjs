// The Next.js example: installed from the tarball, built by both bundlers, started, its routes walked, its page used.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { App, EXAMPLE } from './app.mjs';
import { inChromium } from './suites/dashboard.mjs';
import { deployed } from './suites/deployed.mjs';
import { onEmbeddedDatabase } from './suites/embedded.mjs';
import { withDatabaseAway, withoutDatabase } from './suites/failures.mjs';
import { hotReload } from './suites/hot-reload.mjs';
import { misplaced } from './suites/misplaced.mjs';
import { tracedFiles } from './suites/traces.mjs';
import { root } from './support.mjs';

describe('the Next.js example', { concurrency: false, timeout: 4_000_000 }, () => {
  const app = new App();

  before(() => app.install());

  after(() => app.remove());

  test('locks what the package depends on', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const { packages } = JSON.parse(readFileSync(join(EXAMPLE, 'package-lock.json'), 'utf8'));
    assert.deepEqual(packages['node_modules/izzie-memory'].dependencies, dependencies);
    // With one, npm would take an older tarball out of its cache.
    assert.equal(packages['node_modules/izzie-memory'].integrity, undefined);
  });

  describe('built by Turbopack', { concurrency: false }, () => {
    before(() => app.build());

    test('is built without a database', () => {
      assert.ok(existsSync(app.path('.next', 'BUILD_ID')));
      assert.ok(!existsSync(app.storeOfBuild));
      assert.deepEqual(
        app.files().filter((path) => path.includes('izzie-memory')),
        ['project/izzie-memory-0.1.0.tgz'],
      );
    });

    test('is not changed by its build', () => {
      const name = 'tsconfig.json';
      assert.equal(readFileSync(app.path(name), 'utf8'), readFileSync(join(EXAMPLE, name), 'utf8'));
    });

    tracedFiles(app, 'turbopack');
    onEmbeddedDatabase(app);
    withoutDatabase(app);
    withDatabaseAway(app);
    inChromium(app, 'turbopack');
  });

  hotReload(app);
  misplaced(app);

  describe('built by webpack, with cacheComponents', { concurrency: false }, () => {
    before(() => app.build({ bundler: 'webpack', checksTypes: false }, { cacheComponents: true }));

    tracedFiles(app, 'webpack');
    inChromium(app, 'webpack');
  });

  deployed(app);
});
