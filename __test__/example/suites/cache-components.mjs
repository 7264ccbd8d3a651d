// Apps may have `cacheComponents` on, which runs GET handlers while the app is built unless they prevent it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { STATUS } from '../routes.mjs';
import { Server } from '../server.mjs';

export function withCacheComponents(app) {
  test('answers anew each time with cacheComponents on', async () => {
    const config = readFileSync(app.path('next.config.ts'), 'utf8');
    const changed = config.replace('NextConfig = {', 'NextConfig = { cacheComponents: true,');
    assert.notEqual(changed, config);
    app.write('next.config.ts', changed);
    const filesBefore = app.files();
    await app.build();
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
