'use strict';

const { checkEmbedding } = require('./embedding.cjs');
const { postgresAdvice } = require('./postgres-advice.cjs');
const { error, failure, ok, warning } = require('./verdict.cjs');

/** Larger differences make "yesterday" and `createdAt` of this machine mean something else than the database's. */
const CLOCK_TOLERANCE_MS = 5000;

/**
 * A fact of the core, or why it could not be learnt.
 * @template T
 * @typedef {{ found: T } | { error: { message: string, reason: string, details: Record<string, any> } }} Fact
 */

/**
 * @param {any} facts what the core's operation `inspect` answers
 * @returns {import('./verdict.cjs').Check[]}
 */
function checkPostgres(facts) {
  if (facts.server.error) {
    return [
      failure('postgres', facts.server.error, postgresAdvice(facts.server.error)),
      ...checkDirect(facts),
    ];
  }
  const server = facts.server.found;
  return [
    ok('postgres', `Postgres ${server.version}, database ${server.database}, role ${server.role}`),
    ...checkEncoding(server),
    checkVector(facts),
    ...checkSchema(facts),
    ...checkRights(facts),
    ...checkTable(facts),
    ...checkPooler(facts),
    ...checkDirect(facts),
    ...checkClock(facts),
    ...checkEmbedding(facts),
  ];
}

function checkEncoding({ encoding, database }) {
  if (encoding === 'UTF8') return [];
  const advice =
    "Make a database with the encoding UTF8, and move the data there: create database NAME encoding 'UTF8' template template0;";
  return [
    error('encoding', `database ${database} has the encoding ${encoding}, izzie-memory needs UTF8`, advice),
  ];
}

function checkVector({ embedded, server }) {
  const { vector, vectorAvailable, database, migrated } = server.found;
  if (vector) return ok('pgvector', `pgvector ${vector}`);
  if (embedded && vectorAvailable && !migrated) return ok('pgvector', 'comes with the embedded database');
  if (vectorAvailable) {
    const advice = 'As a role that may, run: create extension vector; (migrate does it where its role may)';
    return error('pgvector', `the extension vector is not in database ${database}`, advice);
  }
  const advice =
    'Install pgvector on the server (Debian and Ubuntu: postgresql-<version>-pgvector; hosted ones have it), then run: create extension vector;';
  return error('pgvector', 'the server has no pgvector', advice);
}

function checkSchema({ embedded, server, schema }) {
  if (!server.found.migrated) {
    if (embedded) return [ok('schema', 'not made yet; the embedded database does it at the first use')];
    return [error('schema', 'there are no tables of izzie-memory', 'Run: npx izzie-memory migrate')];
  }
  if (!schema) return [];
  if (schema.error) return [failure('schema', schema.error, 'Run: npx izzie-memory migrate')];
  const { have, want, functions } = schema.found;
  const newer = have > want || functions.newer !== undefined;
  if (have === want && functions === 'current') return [ok('schema', `current (${have})`)];
  const found =
    have === want
      ? `the functions of the schema are ${newer ? 'newer than' : 'not those of'} this version of izzie-memory`
      : `the schema is at ${have}, this version of izzie-memory needs ${want}`;
  const advice = newer
    ? 'Upgrade the package: npm install izzie-memory@latest'
    : 'Run: npx izzie-memory migrate';
  return [error('schema', found, advice)];
}

function checkRights({ missingRights, server }) {
  if (!missingRights) return [];
  if (missingRights.error)
    return [failure('rights', missingRights.error, postgresAdvice(missingRights.error))];
  const missing = missingRights.found;
  const role = quoted(server.found.role);
  if (missing.length === 0) return [ok('rights', `role ${role} may do what calls need`)];
  const rest = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  return [error('rights', `role ${role} lacks ${missing[0]}${rest}`, grants(role))];
}

/** What others have put on the application's table, and whether the server takes writes. */
function checkTable({ table, server }) {
  if (!table) return [];
  if (table.error) return [failure('table', table.error, postgresAdvice(table.error))];
  const { silentTriggers, hidesRows, policies, rules, readOnly } = table.found;
  const role = quoted(server.found.role);
  const checks = [];
  if (hidesRows) {
    const advice = `Connect as the owner of the table (without FORCE ROW LEVEL SECURITY) or as a role with BYPASSRLS, or run: create policy izzie_memory on public.memory_entries to ${role} using (true) with check (true);`;
    const found = `row security on memory_entries hides rows from role ${role} (policies: ${policies.join(', ') || 'none'})`;
    checks.push(error('row security', found, advice));
  }
  if (silentTriggers.length > 0) {
    const found = `triggers on memory_entries are missing or disabled: ${silentTriggers.join(', ')}`;
    const advice =
      'Enable them (alter table public.memory_entries enable trigger NAME;) or run: npx izzie-memory migrate. Then run npx izzie-memory sync full, which finds what was written meanwhile.';
    checks.push(error('triggers', found, advice));
  }
  if (rules.length > 0) {
    const found = `rules stand on memory_entries: ${rules.join(', ')}; izzie-memory cannot write through them`;
    checks.push(
      error('rules', found, 'Replace them by triggers (drop rule NAME on public.memory_entries;).'),
    );
  }
  if (readOnly) {
    const advice =
      'Is this a standby, or is default_transaction_read_only on? Give DATABASE_URL the address of the primary.';
    checks.push(warning('writes', 'the server takes no writes now; reads work', advice));
  }
  return checks.length > 0
    ? checks
    : [ok('table', 'memory_entries takes and shows every row, and its triggers fire')];
}

/** What the owner of the tables has to run. Calls create nothing; migrations run under the owner. */
function grants(role) {
  const statements = [
    `grant usage on schema izzie_memory to ${role};`,
    `grant select, insert, update, delete on all tables in schema izzie_memory to ${role};`,
    `grant usage, select on all sequences in schema izzie_memory to ${role};`,
    `grant execute on all functions in schema izzie_memory to ${role};`,
    `grant select, insert, update, delete on public.memory_entries to ${role};`,
  ];
  return `As the owner of the tables, run: ${statements.join(' ')}`;
}

const quoted = (name) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

function checkPooler({ pooler, direct }) {
  if (!pooler) return [];
  if (pooler.error) return [failure('pooler', pooler.error, postgresAdvice(pooler.error))];
  const { pooled, transactionEach } = pooler.found;
  if (!pooled) return [ok('pooler', 'none, or one that keeps sessions')];
  if (!direct) {
    const advice =
      'Set DATABASE_DIRECT_URL (or DATABASE_URL_UNPOOLED) to the address of the server itself: migrations need a session of their own.';
    return [warning('pooler', 'in transaction mode, and no direct URL is set', advice)];
  }
  if (!transactionEach) return [ok('pooler', 'in transaction mode; migrations go by the direct URL')];
  const found =
    'in transaction mode, without keeping track of prepared statements: each statement takes a transaction of its own';
  return [
    warning('pooler', found, 'Set max_prepared_statements in PgBouncer, 1.21 or newer, to 100 for example.'),
  ];
}

function checkDirect({ direct, server }) {
  if (!direct) return [];
  if (direct.error) {
    return [failure('direct URL', direct.error, postgresAdvice(direct.error, 'DATABASE_DIRECT_URL'))];
  }
  const { database, started, pooled } = direct.found;
  if (pooled) {
    const advice = 'Set DATABASE_DIRECT_URL to the address of the server itself, not of its pooler.';
    return [error('direct URL', 'leads to a pooler in transaction mode', advice)];
  }
  const pooledWay = server.found;
  if (pooledWay && (pooledWay.database !== database || pooledWay.started !== started)) {
    const advice = 'DATABASE_URL and DATABASE_DIRECT_URL must name the same database of the same server.';
    return [error('direct URL', `leads to another database (${database})`, advice)];
  }
  return [ok('direct URL', 'leads to the same database')];
}

function checkClock({ clock }) {
  if (!clock) return [];
  if (clock.error) return [failure('clock', clock.error, postgresAdvice(clock.error))];
  const { aheadMs, roundTripMs } = clock.found;
  const off = Math.abs(aheadMs);
  if (off <= CLOCK_TOLERANCE_MS + roundTripMs)
    return [ok('clock', `differs by ${off} ms from the database's`)];
  const found = `this machine is ${Math.round(off / 1000)} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the database`;
  return [warning('clock', found, 'Let both set their clocks by NTP (timedatectl set-ntp true).')];
}

module.exports = { checkPostgres };
