// The core strikes a debt off by the revision that was applied: one that a newer write has taken over must stay.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { useDatabase } from './support.mjs';

const ACKNOWLEDGE = readFileSync(
  new URL('../../src/store/postgres/queries/acknowledge.sql', import.meta.url),
  'utf8',
);

const database = useDatabase();

/** The debt to the graph of the only memory there is. */
async function debt() {
  const rows = await database.query(
    `select target, memory_id as id, revision, lease_token as lease from izzie_memory.memory_sync
     where target not in ('embedding', 'extraction')`,
  );
  return rows[0];
}

/** Resolves to how many debts were struck off. */
async function acknowledge({ target, id, revision }) {
  const [{ struck }] = await database.query(ACKNOWLEDGE, [target, [id], [revision]]);
  return Number(struck);
}

test('a debt outlives the payment of an older revision, whoever holds its lease', async () => {
  await database.layer().memory.getStats('ada'); // registers the graph
  await database.query(`insert into memory_entries (user_id, content) values ('ada', 'first')`);
  const first = await debt();
  await database.query(`update memory_entries set content = 'second'`);
  await database.query('update izzie_memory.memory_sync set lease_token = gen_random_uuid()');

  expect(await acknowledge(first)).toBe(0);
  const second = await debt();
  expect(Number(second.revision)).toBeGreaterThan(Number(first.revision));
  expect(second.lease, 'it can be claimed again at once').toBeNull();

  expect(await acknowledge(second)).toBe(1);
  expect(await debt()).toBeUndefined();
});
