// Apps may have `cacheComponents` on, which runs GET handlers while the app is built unless they prevent it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { STATUS } from '../routes.mjs';
import { Server } from '../server.mjs';

export function withCacheComponents(app) {
  test('with cacheComponents on: built without a database, answers anew each time', async () => {
    const config = readFileSync(app.path('next.config.ts'), 'utf8');
    const changed = config.replace('NextConfig = {', 'NextConfig = { cacheComponents: true,');
    assert.notEqual(changed, config);
    app.write('next.config.ts', changed);
    const filesBefore = app.files();
    // As for the first build: any use of the package would leave a database.
    await app.build({ IZZIE_MEMORY_DIR: join(app.home, 'other-store') });
    assert.deepEqual(app.files(), filesBefore);

    const server = await Server.start(app, { IZZIE_MEMORY_DIR: app.store });
    try {
      const first = await server.ask('GET', STATUS);
      const second = await server.ask('GET', STATUS);
      assert.deepEqual([first.status, second.status], [200, 200]);
      assert.ok(first.body.timestamp < second.body.timestamp);
    } finally {
      await server.stop();
    }
  });
}
