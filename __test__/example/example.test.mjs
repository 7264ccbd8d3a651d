// The Next.js example: installed from the tarball, built, started, and all its routes walked.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { App, EXAMPLE } from './app.mjs';
import { withCacheComponents } from './suites/cache-components.mjs';
import { onEmbeddedDatabase } from './suites/embedded.mjs';
import { withDatabaseAway, withoutDatabase } from './suites/failures.mjs';
import { root } from './support.mjs';

/** What Next.js copies, or a platform uploads, for one route. */
const TRACE = '.next/server/app/api/persistence/sync/route.js.nft.json';
const NEEDED = [
  /izzie-memory\.[\w-]+\.node$/,
  /izzie-memory\/lib\/embedded\/worker\.cjs$/,
  /pglite\/dist\/pglite\.wasm$/,
  /pglite\/dist\/pglite\.data$/,
  /pglite-pgvector\/dist\/vector\.tar\.gz$/,
  /minilm-static\/model\.safetensors$/,
  /minilm-static\/tokenizer\.json$/,
  /minilm-static\/config\.json$/,
];

describe('the Next.js example', { concurrency: false, timeout: 1_200_000 }, () => {
  const app = new App();

  before(async () => {
    await app.install();
    // With this setting, the first use of the package anywhere in the build would create the database.
    await app.build({ IZZIE_MEMORY_DIR: app.store });
  });

  after(() => app.remove());

  test('is built without a database', () => {
    assert.ok(existsSync(app.path('.next', 'BUILD_ID')));
    const traces = app.files().filter((path) => path.includes('izzie-memory') || path.startsWith('store'));
    assert.deepEqual(traces, ['project/izzie-memory-0.1.0.tgz']);
  });

  test('is deployed with all that the package needs', () => {
    const trace = JSON.parse(readFileSync(app.path(TRACE), 'utf8')).files;
    for (const needed of NEEDED)
      assert.ok(
        trace.some((path) => needed.test(path)),
        String(needed),
      );
  });

  test('is not changed by its build', () => {
    const name = 'tsconfig.json';
    assert.equal(readFileSync(app.path(name), 'utf8'), readFileSync(join(EXAMPLE, name), 'utf8'));
  });

  test('locks what the package depends on', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const { packages } = JSON.parse(readFileSync(join(EXAMPLE, 'package-lock.json'), 'utf8'));
    assert.deepEqual(packages['node_modules/izzie-memory'].dependencies, dependencies);
  });

  onEmbeddedDatabase(app);
  withoutDatabase(app);
  withDatabaseAway(app);
  withCacheComponents(app);
});
