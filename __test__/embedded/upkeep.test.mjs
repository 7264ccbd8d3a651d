import { afterAll, beforeAll, expect, test } from 'vitest';
import database from '../../lib/embedded/database.cjs';
import protocol from '../../lib/embedded/protocol.cjs';
import upkeep from '../../lib/embedded/upkeep.cjs';

const { message, messagesOf, rowText } = protocol;

let db;
beforeAll(async () => {
  db = await database.Database.open(null);
});
afterAll(() => db.close());

function run(...messages) {
  const answer = [];
  db.execute(Buffer.concat(messages), (bytes) => answer.push(bytes));
  return Buffer.concat(answer);
}

function query(sql) {
  const answer = [...messagesOf(run(message('Q', sql)))];
  expect(answer.filter(({ type }) => type === 'E')).toEqual([]);
  return answer.filter(({ type }) => type === 'D').map(({ body }) => rowText(body));
}

/** Does all that is due, and tells what it was. */
function keepUp(options) {
  const commands = [];
  const listen = (...messages) => {
    commands.push(messages[0].toString('latin1', 5, messages[0].length - 1).trim());
    return run(...messages);
  };
  while (upkeep.keepUp(listen, options));
  query('select pg_stat_force_next_flush()');
  return commands.filter((command) => /^(checkpoint|vacuum)/.test(command));
}

test('tables that changed are vacuumed and analysed, once, and only when nobody waits', () => {
  query(
    'create schema "Odd Name"; create table "Odd Name".things as select n from generate_series(1, 100) n',
  );
  query('select pg_stat_force_next_flush()');
  expect(keepUp({ idle: false })).toEqual([]);
  expect(keepUp({ idle: true })).toEqual(['vacuum (analyze) "Odd Name".things']);
  expect(query("select reltuples from pg_class where relname = 'things'")).toEqual(['100']);
  expect(keepUp({ idle: true })).toEqual([]);
});

test('the log is cut when it has grown, even when others wait', () => {
  // Each switch ends a segment of 16 MB.
  for (let n = 0; n < 5; n++) query(`create table logged_${n} (n int); select pg_switch_wal()`);
  expect(keepUp({ idle: false })).toEqual(['checkpoint']);
  expect(keepUp({ idle: false })).toEqual([]);
});
