// What stands on the table or holds a statement up, by way of the public contract, and behind PgBouncer, which keeps our
// time limits from the server.
import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { START_LIMIT_MS, startPgBouncer } from '../../scripts/servers/pgbouncer.mjs';
import { lacks } from '../../scripts/test/needs.mjs';
import { startProxy } from '../support/proxy.mjs';
import { rejection, useDatabase } from './support.mjs';

const SETTINGS = { tracked: 200, untracked: 0 };
/** A statement's own limit, and what its cancellation may take. */
const LIMIT_MS = 60_000;

/** Resolves once no backend of ours is active: 5 s after a failure at the latest. */
const nothingRunsOn = (database) =>
  vi.waitFor(
    async () => {
      const active = await database.query(
        "select query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and application_name = 'izzie-memory'",
      );
      expect(active).toEqual([]);
    },
    { timeout: 5000, interval: 200 },
  );

const trigger = (database, when, body) =>
  database.query(`
    create or replace function public.meddle() returns trigger language plpgsql as $$ begin ${body} end $$;
    create or replace trigger meddle ${when} on public.memory_entries for each row execute function public.meddle()`);

describe('a table that does not take what it is given', () => {
  const database = useDatabase();
  let layer;
  beforeAll(() => {
    layer = database.layer({ extractor: 'none' });
  });

  test('store rejects with the name of the trigger, storeMany keeps the others', async () => {
    await trigger(database, 'before insert', "if new.content = 'bad' then return null; end if; return new;");
    const error = await rejection(layer.memory.store({ userId: 'ada', content: 'bad' }));
    expect(error).toBeInstanceOf(api.VectorStoreError);
    expect(error).toMatchObject({ reason: 'STATEMENT_REJECTED', details: { obstacles: ['trigger meddle'] } });
    expect(error.message).toMatch(/^memory_entries: .*trigger meddle/);
    const items = ['one', 'bad', 'two'].map((content) => ({ userId: 'ada', content }));
    const { stored, failed } = await layer.memory.storeMany(items);
    expect(stored.map(({ content }) => content)).toEqual(['one', 'two']);
    expect(failed.map(({ index }) => index)).toEqual([1]);
    expect(failed[0].error.message).toContain('meddle');
    await nothingRunsOn(database);
  });

  test('deleteAll says how many rows withstood', async () => {
    await trigger(database, 'before delete', "if old.content = 'one' then return null; end if; return old;");
    const error = await rejection(layer.memory.deleteAll('ada', { hard: true }));
    expect(error).toMatchObject({ reason: 'STATEMENT_REJECTED', details: { kept: 1, deleted: 1 } });
    expect((await layer.memory.getAll('ada')).map(({ content }) => content)).toEqual(['one']);
    await database.query('drop trigger meddle on memory_entries');
    expect(await layer.memory.deleteAll('ada', { hard: true })).toMatchObject({ deleted: 1 });
  });
});

const describeHere = describe.skipIf(lacks('pgbouncer', import.meta.url));

describeHere.each(Object.entries(SETTINGS))('behind PgBouncer, %s', (_name, maxPreparedStatements) => {
  const database = useDatabase();
  let bouncer;
  beforeAll(async () => {
    bouncer = await startPgBouncer({ databaseUrl: database.url, maxPreparedStatements, poolSize: 4 });
  }, START_LIMIT_MS);
  afterAll(() => bouncer.stop());

  test('a statement ends by its own limit', { timeout: LIMIT_MS }, async () => {
    const { memory } = database.layer({ databaseUrl: bouncer.url, extractor: 'none' });
    const { id } = await memory.store({ userId: 'ada', content: 'one' });
    await trigger(database, 'before insert or update', 'loop null; end loop; return new;');
    const batch = memory.storeMany([{ userId: 'ada', content: 'three' }]);
    const outcomes = [
      rejection(memory.store({ userId: 'ada', content: 'two' })),
      rejection(memory.update(id, { content: 'other' })),
      batch.then(({ failed }) => failed[0].error),
    ];
    for (const error of await Promise.all(outcomes))
      expect(error).toMatchObject({ reason: 'TIMEOUT', retryable: true, details: { sqlstate: '57014' } });
    await nothingRunsOn(database);
    await database.query('drop trigger meddle on memory_entries');
    expect((await memory.getAll('ada')).map(({ content }) => content)).toEqual(['one']);
  });

  test('a pooler that was restarted is not noticed', async () => {
    const proxy = await startProxy(bouncer.url);
    const { memory } = database.layer({
      databaseUrl: proxy.url(bouncer.url),
      extractor: 'none',
      pool: { max: 3 },
    });
    const { id } = await memory.store({ userId: 'ben', content: 'one' });
    await Promise.all([1, 2, 3, 4, 5].map(() => memory.getAll('ben')));
    for (const content of ['two', 'three']) {
      // As long as one takes at least.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      proxy.reset();
      expect(await memory.update(id, { content })).toMatchObject({ content });
      await new Promise((resolve) => setTimeout(resolve, 1100));
      proxy.reset();
      expect(await memory.getById(id)).toMatchObject({ content });
    }
    await new Promise((resolve) => setTimeout(resolve, 1100));
    proxy.reset();
    await memory.delete(id, { hard: true });
    expect(await memory.getAll('ben')).toEqual([]);
    await proxy.close();
  });
});
