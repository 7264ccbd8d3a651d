// Servers that cannot answer.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertDocumented } from '../documented.mjs';
import { assertFailure, STATUS, SYNC } from '../routes.mjs';
import { Server } from '../server.mjs';

export function withoutDatabase(app) {
  describe('in production without a database', { concurrency: false }, () => {
    let server;
    let filesBefore;

    before(async () => {
      filesBefore = app.files();
      server = await Server.start(app, {});
    });

    after(() => server?.stop());

    for (const [method, path, error] of [
      ['GET', STATUS, 'Failed to get persistence status'],
      ['GET', SYNC, 'Failed to get sync statistics'],
      ['POST', SYNC, 'Failed to perform sync operation'],
    ]) {
      test(`${method} ${path} says so`, async () => {
        const answer = await server.ask(method, path);
        assertFailure(answer, error);
        assert.match(answer.body.message, /^No database is configured: set DATABASE_URL/);
      });
    }

    test('a bad request is still one', async () => {
      assert.equal((await server.ask('POST', SYNC, '{"limit":0}')).status, 400);
    });

    test('no file is created', async () => {
      assert.ok(await server.stop());
      assert.deepEqual(app.files(), filesBefore);
      assert.deepEqual(await app.processes(), []);
    });
  });
}

export function withDatabaseAway(app) {
  test('a database that is away is told without its password or a stack', async () => {
    const secret = 'canary-3141';
    const server = await Server.start(app, { DATABASE_URL: `postgres://izzie:${secret}@127.0.0.1:9/izzie` });
    try {
      const answer = await server.ask('POST', SYNC);
      assertFailure(answer, 'Failed to perform sync operation');
      assert.doesNotMatch(answer.body.message, /\n|\.[cm]?js\b/);
      const status = await server.ask('GET', STATUS);
      assert.equal(status.status, 200, 'its state is an answer');
      assert.equal(status.body.status, 'unhealthy');
      const unknown = { vectorStoreCount: null, graphStoreCount: null, syncPercentage: null };
      assert.deepEqual(status.body.metrics, { totalMemories: null, ...unknown });
      assertDocumented(status.body, `GET ${STATUS}`);
      const counts = await server.ask('GET', SYNC);
      assert.equal(counts.status, 200);
      const { unavailable, ...stats } = counts.body.stats;
      assert.deepEqual(Object.keys(unavailable), ['vectorStore', 'graphStore']);
      assert.ok(
        Object.values(stats).every((value) => value === null),
        JSON.stringify(stats),
      );
      assertDocumented(counts.body, `GET ${SYNC}`);
      for (const { body } of [answer, status, counts]) assert.ok(!JSON.stringify(body).includes(secret));
      assert.ok(!server.output.includes(secret));
    } finally {
      await server.stop();
    }
  });
}
