// Requests that must be refused before anything is done.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertMembers, STATUS, SYNC } from '../routes.mjs';

/** What is wrong, the body, the member that the issue names. */
const BAD_BODIES = [
  ['limit below 1', { limit: 0 }, 'limit'],
  ['limit above 1000', { limit: 1001 }, 'limit'],
  ['limit as text', { limit: '5' }, 'limit'],
  ['limit with a fraction', { limit: 1.5 }, 'limit'],
  ['limit null', { limit: null }, 'limit'],
  ['unknown operation', { operation: 'destroy' }, 'operation'],
  ['dryRun as text', { dryRun: 'true' }, 'dryRun'],
  ['clearExisting as number', { operation: 'rebuild', clearExisting: 1 }, 'clearExisting'],
  ['userId as number', { userId: 7 }, 'userId'],
  ['userId longer than the layer takes', { userId: 'x'.repeat(256) }, 'userId'],
  ['unknown member', { limits: 5 }, undefined],
  ['a list', [], undefined],
  ['null', null, undefined],
];

const WRONG_METHODS = [
  ['POST', STATUS],
  ['PUT', SYNC],
  ['DELETE', SYNC],
];

export function refusals(running) {
  for (const [name, request, member] of BAD_BODIES) {
    test(`POST sync refuses ${name}`, async () => {
      const { status, body } = await running.server.ask('POST', SYNC, JSON.stringify(request));
      assert.equal(status, 400);
      assertMembers(body, 'error', 'issues');
      assert.equal(body.error, 'Invalid request');
      const [{ path, message }, ...more] = body.issues;
      assert.deepEqual([path[0], more], [member, []]);
      assert.ok(message);
    });
  }

  test('POST sync names all that is wrong', async () => {
    const { body } = await running.server.ask('POST', SYNC, '{"limit":0,"operation":"","dryRun":1}');
    assert.deepEqual(body.issues.map(({ path }) => path[0]).sort(), ['dryRun', 'limit', 'operation']);
  });

  test('POST sync refuses what is not JSON', async () => {
    const { status, body } = await running.server.ask('POST', SYNC, '{"operation":');
    assert.equal(status, 400);
    const issues = [{ code: 'custom', path: [], message: 'The body is not JSON' }];
    assert.deepEqual(body, { error: 'Invalid request', issues });
  });

  for (const [method, path] of WRONG_METHODS) {
    test(`there is no ${method} ${path}`, async () => {
      assert.equal((await running.server.ask(method, path)).status, 405);
    });
  }
}
