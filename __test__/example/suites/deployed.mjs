// The app as a platform runs it: with the files that its build has traced and nothing else, on a database of its own. By the
// way, the pairs of bundler and `cacheComponents` that no other suite builds.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as api from 'izzie-memory';
import { migratedDatabase } from '../../support/migrated.mjs';
import { MEMORIES_ROUTE, STATUS } from '../routes.mjs';
import { Server } from '../server.mjs';

/** As the example's README names them for those who want the offline embedder. */
const WEIGHTS = './node_modules/**/@izzie-memory/minilm-static/**';

export function deployed(app) {
  describe('deployed', { concurrency: false }, () => {
    test('by Turbopack, with cacheComponents: health says that there is no embedder, words are found', () =>
      withDeployment(app, { bundler: 'turbopack', settings: { cacheComponents: true } }, async (server) => {
        const { reasons } = await statusOf(server);
        assert.deepEqual(
          reasons.map(({ code }) => code),
          ['NO_EMBEDDER'],
        );
        assert.match(reasons[0].message, /minilm-static/);
        const { explain } = await storeAndFind(server);
        assert.equal(explain.similarity, 0);
      }));

    test('by webpack, with the weights that were asked for: by meaning too', () => {
      const settings = { outputFileTracingIncludes: { '/**': [WEIGHTS] } };
      return withDeployment(app, { bundler: 'webpack', settings }, async (server) => {
        assert.deepEqual((await statusOf(server)).reasons, []);
        const { explain } = await storeAndFind(server);
        assert.ok(explain.similarity > 0);
      });
    });
  });
}

async function withDeployment(app, { bundler, settings }, use) {
  await app.build({ bundler, checksTypes: false }, { ...settings, output: 'standalone' });
  assert.ok(!existsSync(app.storeOfBuild));
  const database = await migratedDatabase(api);
  const server = await Server.startDeployed(app, { DATABASE_URL: database.url });
  try {
    await use(server);
  } finally {
    await server.stop();
    await database.drop();
  }
}

/** Asked twice: an answer that was made while the app was built would stay the same. */
async function statusOf(server) {
  const first = await server.ask('GET', STATUS);
  const second = await server.ask('GET', STATUS);
  assert.deepEqual([first.status, second.status], [200, 200], server.output);
  assert.ok(first.body.timestamp < second.body.timestamp);
  return second.body;
}

async function storeAndFind(server) {
  const content = 'Lunch with Grace Hopper in New York';
  const stored = await server.ask('POST', MEMORIES_ROUTE, JSON.stringify({ userId: 'ada', content }));
  assert.equal(stored.status, 200, JSON.stringify(stored.body));
  const { body } = await server.ask('GET', `${MEMORIES_ROUTE}?userId=ada&q=lunch`);
  assert.equal(body.memories[0].content, content);
  return body.memories[0];
}
