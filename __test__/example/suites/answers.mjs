// The answers of all routes, as the example's README documents them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDocumented } from '../documented.mjs';
import { GRAPH, MEMORIES_ROUTE, METRICS, QUEUE, STATUS, SYNC } from '../routes.mjs';
import { CRON_SECRET } from '../server.mjs';

/** What is asked, and under which heading its answer is documented. */
const REQUESTS = [
  ['GET', STATUS],
  ['GET', SYNC],
  ['POST', SYNC, { operation: 'check' }],
  ['POST', SYNC, { operation: 'rebuild', userId: 'ada' }],
  ['GET', QUEUE],
  ['POST', QUEUE, {}],
  ['GET', GRAPH, undefined, '?userId=ada&limit=10'],
  ['GET', MEMORIES_ROUTE, undefined, '?userId=ada&q=lunch%20with%20Grace'],
  ['POST', MEMORIES_ROUTE, { userId: 'eve', content: 'Dinner with Alan Turing in Manchester' }],
];

export function documentedAnswers(running) {
  for (const [method, path, request, query = ''] of REQUESTS) {
    test(`${method} ${path} answers ${JSON.stringify(request) ?? query} as documented`, async () => {
      const { status, body } = await running.server.ask(
        method,
        path + query,
        request && JSON.stringify(request),
      );
      assert.equal(status, 200, JSON.stringify(body));
      assertDocumented(body, `${method} ${path}`);
    });
  }

  test('GET /api/cron/drain answers as documented', async () => {
    const headers = { authorization: `Bearer ${CRON_SECRET}` };
    const { body } = await running.server.ask('GET', '/api/cron/drain', undefined, headers);
    assertDocumented(body, 'GET /api/cron/drain');
  });

  test('GET metrics is what Prometheus reads', async () => {
    const response = await running.server.fetch('GET', METRICS);
    assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    assert.match(text, /^# HELP izzie_memory_/m);
    assert.match(text, /^# TYPE izzie_memory_/m);
    for (const line of text.trimEnd().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) izzie_memory_\w+ .+|izzie_memory_\w+(\{.*\})? \S+)$/);
    }
  });

  test('the graph of a user has their entities and what joins them, nothing of others', async () => {
    const { body } = await running.server.ask('GET', `${GRAPH}?userId=ada`);
    assert.deepEqual(
      body.nodes.map(({ name }) => name),
      ['Grace Hopper'],
    );
  });

  for (const [path, field] of [
    [`${GRAPH}?limit=5`, 'userId'],
    [`${GRAPH}?userId=ada&limit=0`, 'limit'],
    [`${MEMORIES_ROUTE}?userId=ada`, 'q'],
    [`${MEMORIES_ROUTE}?userId=ada&q=x&mode=loud`, 'mode'],
    [`${QUEUE}?state=lost`, 'state'],
    [`${QUEUE}?limit=1001`, 'limit'],
  ]) {
    test(`GET ${path} is refused for ${field}`, async () => {
      const { status, body } = await running.server.ask('GET', path);
      assert.deepEqual([status, body.error, body.issues[0].path], [400, 'Invalid request', [field]]);
    });
  }
}
