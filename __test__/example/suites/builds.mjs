// The other pairs of bundler and `cacheComponents`, which runs GET handlers while the app is built unless they prevent it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { STATUS } from '../routes.mjs';
import { Server } from '../server.mjs';

/** As the example's README names them for those who want the offline embedder. */
const WEIGHTS = './node_modules/izzie-memory/node_modules/@izzie-memory/minilm-static/**';

/** @param {import('../app.mjs').App} app @param {'turbopack' | 'webpack'} bundler @param {boolean} cacheComponents */
export function otherBuild(app, bundler, cacheComponents) {
  test(`built by ${bundler}, cacheComponents ${cacheComponents ? 'on' : 'off'}: answers anew, with the weights asked for`, async () => {
    const settings = { cacheComponents, outputFileTracingIncludes: { '/**': [WEIGHTS] } };
    await app.build({ bundler, checksTypes: false }, settings);
    assert.ok(!existsSync(app.storeOfBuild));
    const weights = app.traced('api/memories/route').filter((path) => path.endsWith('.safetensors'));
    assert.equal(weights.length, 1, weights.join(', '));

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
