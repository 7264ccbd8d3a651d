'use strict';

const { message, messagesOf, rowText } = require('./protocol.cjs');

/*
 * What a Postgres server does in background processes, which PGlite doesn't have: without it the log would grow
 * for as long as the host runs, dead rows would stay, and the planner would know nothing of the tables.
 */

const MOST_WAL_BYTES = 64 * 1024 * 1024;

const CHECKPOINT = `
  select 'checkpoint' from pg_control_checkpoint()
  where pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) > ${MOST_WAL_BYTES}`;

// The thresholds of autovacuum. One table at a time, for it keeps everybody waiting.
const VACUUM = `
  (select format('vacuum (analyze) %I.%I', schemaname, stat.relname)
   from pg_stat_user_tables stat join pg_class on pg_class.oid = relid
   where n_dead_tup > 50 + 0.2 * greatest(reltuples, 0)
      or n_ins_since_vacuum > 1000 + 0.2 * greatest(reltuples, 0)
      or n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)
   limit 1)`;

/**
 * @param {(...messages: Buffer[]) => Buffer} run gives the database's answer
 * @param {{ idle: boolean }} options idle: nobody waits, there is time for more than the necessary
 * @returns {boolean} whether something was done, so that more may be due
 */
function keepUp(run, { idle }) {
  const due = rowsOf(run(message('Q', idle ? `${CHECKPOINT} union all ${VACUUM}` : CHECKPOINT)));
  for (const command of due) rowsOf(run(message('Q', command)));
  return due.length > 0;
}

/**
 * @param {Buffer} answer
 * @returns {string[]} the first column
 */
function rowsOf(answer) {
  const rows = [];
  for (const { type, body } of messagesOf(answer)) {
    if (type === 'D') rows.push(rowText(body));
    if (type === 'E')
      process.emitWarning(`upkeep of the embedded database: ${body.toString().replaceAll('\0', ' ')}`);
  }
  return rows;
}

module.exports = { keepUp };
