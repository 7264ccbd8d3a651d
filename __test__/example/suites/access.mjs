// Who may ask what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertMembers, GRAPH, MEMORIES_ROUTE, METRICS, QUEUE, STATUS, SYNC } from '../routes.mjs';
import { CRON_SECRET, TOKEN } from '../server.mjs';

const GUARDED = [
  ['GET', STATUS],
  ['GET', SYNC],
  ['POST', SYNC],
  ['GET', QUEUE],
  ['POST', QUEUE],
  ['GET', `${GRAPH}?userId=ada`],
  ['GET', METRICS],
  ['GET', `${MEMORIES_ROUTE}?userId=ada&q=lunch`],
  ['POST', MEMORIES_ROUTE],
  ['GET', '/api/cron/drain'],
];
const STRANGERS = {
  nobody: {},
  'another token': { authorization: 'Bearer something else' },
  'a part of the token': { authorization: `Bearer ${TOKEN.slice(0, -1)}` },
  'a made-up session': { cookie: `izzie-memory-session=${TOKEN}` },
};

export function access(running) {
  for (const [name, headers] of Object.entries(STRANGERS)) {
    test(`no route answers ${name}`, async () => {
      for (const [method, path] of GUARDED) {
        const { status, body } = await running.server.ask(method, path, undefined, headers);
        assert.equal(status, 401, `${method} ${path}`);
        assertMembers(body, 'error', 'message');
      }
    });
  }

  test('the page leads those who have not logged in to where they can', async () => {
    const response = await fetch(running.server.url, { redirect: 'manual' });
    const text = await response.text();
    const leads = response.headers.get('location') === '/login' || /url=\/login/.test(text);
    assert.ok(leads, text.slice(0, 500));
  });

  test('the cron job has a secret of its own', async () => {
    const ask = (secret) =>
      running.server.ask('GET', '/api/cron/drain', undefined, { authorization: `Bearer ${secret}` });
    assert.equal((await ask(TOKEN)).status, 401);
    assert.equal((await ask(CRON_SECRET)).status, 200);
  });
}
