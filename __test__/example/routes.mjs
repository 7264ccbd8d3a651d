// The routes, and what their answers have in common.
import assert from 'node:assert/strict';

export const STATUS = '/api/persistence/status';
export const SYNC = '/api/persistence/sync';
export const QUEUE = '/api/persistence/queue';
export const GRAPH = '/api/persistence/graph';
export const METRICS = '/api/persistence/metrics';
export const MEMORIES_ROUTE = '/api/memories';

/** Exactly these members. */
export function assertMembers(object, ...names) {
  assert.deepEqual(Object.keys(object).sort(), names.sort());
}

export function assertTime(text) {
  assert.equal(new Date(text).toISOString(), text);
}

/** A 500 with exactly what the example's README says. */
export function assertFailure({ status, body }, error) {
  assert.equal(status, 500);
  assertMembers(body, 'error', 'message');
  assert.equal(body.error, error);
}

/** The result of a sync request that succeeds. */
export async function sync(server, request) {
  const { status, body } = await server.ask('POST', SYNC, JSON.stringify(request));
  assert.equal(status, 200, JSON.stringify(body));
  return body.result;
}

export async function syncPercentage(server) {
  return (await server.ask('GET', STATUS)).body.sync.syncPercentage;
}
