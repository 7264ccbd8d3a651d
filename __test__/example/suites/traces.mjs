// What a platform uploads for the app.
import assert from 'node:assert/strict';
import { test } from 'node:test';

const NAMES = ['page', 'api/persistence/sync/route', 'api/memories/route', 'api/cron/drain/route'];
/** Loaded lazily, by those who ask for it: megabytes that a deployment has no use for. */
const UNWANTED = /@electric-sql|minilm-static|^store\/|\.izzie-memory|\.tgz$/;

export function tracedFiles(app, bundler) {
  test(`${bundler} traces the addon, and no PGlite, no weights, no data`, () => {
    for (const name of NAMES) {
      const files = app.traced(name);
      assert.deepEqual(
        files.filter((path) => UNWANTED.test(path)),
        [],
        name,
      );
      if (name === 'page') continue; // it talks to the routes only
      assert.ok(
        files.some((path) => /izzie-memory\/izzie-memory\.[\w-]+\.node$/.test(path)),
        name,
      );
      assert.ok(files.includes('node_modules/izzie-memory/lib/addon.cjs'), name);
    }
  });
}
