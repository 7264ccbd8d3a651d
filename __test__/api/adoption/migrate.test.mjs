// What migrate() does when it is asked what it would do, interrupted, locked out, run twice or refused.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PersistenceError } from 'izzie-memory';
import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { rejection, useGraph } from '../support.mjs';
import { describeSchema, fill, listTriggers } from './app.mjs';

const CHILD = fileURLToPath(new URL('../children/migrate.mjs', import.meta.url));
const ROWS = 1000;

/** An application's database with rows, not adopted yet. */
const useApp = (rows = ROWS) =>
  useGraph('postgres', { migrate: false, before: (query) => fill(query, rows) });

const states = async ({ query }) => {
  const [{ count }] = await query('select count(*)::int from izzie_memory.memory_state');
  return count;
};

/** A connection that has begun a transaction with a statement of its own. */
async function inTransaction({ url }, statement) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`begin; ${statement}`);
  const end = async () => {
    await client.query('rollback');
    await client.end();
  };
  return { end };
}

describe('a dry run', () => {
  const database = useApp(100);

  test('writes nothing, and its script does the same', async () => {
    const { migrate } = database.layer();
    const before = [await describeSchema(database.query), await listTriggers(database.query)];
    const plan = await migrate({ dryRun: true });
    expect(plan.applied[0]).toBe('0001 tables');
    expect(plan.adopted).toEqual({ rows: 0, pending: 100, failed: [] });
    expect([await describeSchema(database.query), await listTriggers(database.query)]).toEqual(before);
    expect(await database.query("select to_regnamespace('izzie_memory') as schema")).toEqual([
      { schema: null },
    ]);

    // As psql does: what commits within stands alone.
    for (const part of plan.sql.split(/(?<=^commit;\n)/m)) await database.query(part);
    expect(await states(database)).toBe(100);
    const nothing = { applied: [], adopted: { rows: 0, pending: 0, failed: [] } };
    expect(await migrate({ dryRun: true })).toEqual({ ...nothing, sql: '' });
    expect(await migrate()).toEqual(nothing);
  });
});

describe('an adoption', () => {
  const database = useApp();
  /** As if it had never been migrated, but for the tables. */
  const forget = async () => {
    await database.query('truncate izzie_memory.memory_state, izzie_memory.memory_sync, izzie_memory.jobs');
    await database.graph.clear();
  };

  test('that is aborted goes on where it stopped, and tells how far it is', async () => {
    const { migrate } = database.layer();
    const abort = new AbortController();
    const onProgress = ({ done }) => done > 0 && abort.abort(new Error('enough'));
    expect((await rejection(migrate({ signal: abort.signal, onProgress }))).message).toBe('enough');
    const half = await states(database);
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(ROWS);
    const [{ after }] = await database.query("select after from izzie_memory.jobs where name = 'adopt'");
    expect(after).not.toBeNull();

    const told = [];
    const { adopted } = await migrate({ onProgress: (progress) => told.push(progress) });
    expect(adopted.rows).toBeGreaterThan(0);
    expect(adopted.rows).toBeLessThanOrEqual(ROWS - half);
    expect(told.at(-1)).toMatchObject({ done: adopted.rows });
    expect(await states(database)).toBe(ROWS);
    expect(await database.query('select name from izzie_memory.jobs')).toEqual([]);
  });

  test('whose process is killed is finished by the next sync call', async () => {
    const { migrate, sync } = database.layer();
    await migrate();
    await forget();
    const child = spawn(process.execPath, [
      CHILD,
      JSON.stringify({ databaseUrl: database.url, embedder: 'none' }),
    ]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await states(database)).toBeLessThan(ROWS);
    expect(await sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
    expect(await states(database)).toBe(ROWS);
    expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
  });

  test('that runs in two processes adopts every row once', async () => {
    await forget();
    const layers = [1, 2].map((batch) => database.layer({ limits: { batch } }));
    const results = await Promise.all(layers.map(({ migrate }) => migrate()));
    expect(results.reduce((sum, { adopted }) => sum + adopted.rows, 0)).toBe(ROWS);
    const [{ newest }] = await database.query(
      'select count(distinct revision)::int as newest from izzie_memory.memory_state',
    );
    expect(newest).toBe(ROWS);
  });

  test('leaves out the rows that somebody has locked until they are free, and calls nothing consistent before', async () => {
    await forget();
    const { migrate, sync } = database.layer();
    const [{ id }] = await database.query('select id from memory_entries limit 1');
    const locked = await inTransaction(database, `select from memory_entries where id = '${id}' for update`);
    try {
      const abort = new AbortController();
      const migrated = rejection(migrate({ signal: abort.signal }));
      await vi.waitFor(async () => expect(await states(database)).toBe(ROWS - 1), { timeout: 90_000 });
      await sleep(500); // It waits.
      abort.abort(new Error('enough'));
      expect((await migrated).message).toBe('enough');
      expect(await sync.fullSync()).toMatchObject({ pending: 1 });
      expect(await sync.verify()).toMatchObject({ state: 'inconclusive', pending: 1 });
    } finally {
      await locked.end();
    }
    expect((await migrate()).adopted).toEqual({ rows: 1, pending: 0, failed: [] });
    await sync.fullSync();
    expect(await sync.verify()).toMatchObject({ state: 'consistent', pending: 0 });
  });

  test('is not stopped by a row that our tables refuse', async () => {
    const id = randomUUID();
    // Past the triggers, as a restore with disabled triggers writes.
    await database.query(`set session_replication_role = replica;
      insert into memory_entries (id, user_id, content) values ('${id}', 'user-1', 'cursed'), (gen_random_uuid(), 'user-1', 'plain');
      set session_replication_role = origin;
      alter table izzie_memory.memory_state add constraint no_curse check (memory_id <> '${id}')`);
    const { migrate } = database.layer();
    const { adopted } = await migrate();
    expect(adopted).toMatchObject({
      rows: 1,
      pending: 0,
      failed: [{ id, error: { reason: 'STATEMENT_REJECTED' } }],
    });
    expect(adopted.failed[0].error.message).toContain('no_curse');
    await database.query('alter table izzie_memory.memory_state drop constraint no_curse');
    expect((await migrate()).adopted).toEqual({ rows: 1, pending: 0, failed: [] });
  });
});

describe('the lock that the triggers need', () => {
  const database = useApp(100);

  test('is waited for without holding up the other writers', async () => {
    const { migrate } = database.layer();
    const [{ id, other }] = await database.query(
      'select min(id::text) as id, max(id::text) as other from memory_entries',
    );
    const long = await inTransaction(
      database,
      `update memory_entries set access_count = 1 where id = '${id}'`,
    );
    let migrated;
    const running = migrate().then((result) => {
      migrated = result;
    });
    const waits = [];
    const longest = () => Math.max(0, ...waits);
    // Until it has tried, which a busy machine comes to late.
    while (waits.length < 20 || (longest() <= 200 && waits.length < 600)) {
      const begun = performance.now();
      await database.query('update memory_entries set access_count = access_count + 1 where id = $1', [
        other,
      ]);
      waits.push(performance.now() - begun);
      await sleep(100);
    }
    expect(migrated).toBeUndefined();
    await long.end();
    await running;
    expect(migrated.adopted.rows).toBe(100);
    expect(longest()).toBeLessThan(6000);
    expect(longest(), 'the migration has tried meanwhile').toBeGreaterThan(200);
  });
});

describe('a table', () => {
  const database = useApp(10);

  test('of other columns is refused by name, and nothing is changed', async () => {
    await database.query(
      'alter table memory_entries drop column summary, alter column created_at type timestamptz',
    );
    const before = [await describeSchema(database.query), await listTriggers(database.query)];
    const error = await rejection(database.layer().migrate());
    expect(error).toMatchObject({ code: 'VECTOR_STORE_ERROR', reason: 'STATEMENT_REJECTED' });
    expect(error.message).toContain('summary is missing, not text');
    expect(error.message).toContain('created_at is timestamp with time zone');
    expect([await describeSchema(database.query), await listTriggers(database.query)]).toEqual(before);
    await database.query(
      'alter table memory_entries add column summary text, alter column created_at type timestamp',
    );
    expect((await database.layer().migrate()).adopted.rows).toBe(10);
  });
});

describe('a user whom the application does not know', () => {
  const database = useApp(10);

  test('is named by the error of each write', async () => {
    const { migrate, memory, persistence } = database.layer();
    await migrate();
    const unknown = { code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' };
    const nobody = { field: 'userId', value: 'nobody', sqlstate: '23503' };
    const entry = { userId: 'nobody', content: 'from nowhere' };
    const error = await rejection(memory.store(entry));
    expect(error).toBeInstanceOf(PersistenceError);
    expect(error).toMatchObject({ ...unknown, details: nobody });
    expect(error.message).toContain('userId: "nobody" is not known');
    const { failed } = await memory.storeMany([entry, { userId: 'user-1', content: 'at home' }]);
    expect(failed).toMatchObject([{ index: 0, error: { ...unknown, details: nobody } }]);
    expect(await rejection(persistence.store(entry))).toMatchObject({ ...unknown, details: nobody });

    const conversationId = randomUUID();
    const lost = await rejection(memory.store({ userId: 'user-1', content: 'lost' }, { conversationId }));
    expect(lost).toMatchObject({ ...unknown, details: { field: 'conversationId', value: conversationId } });
  });
});
