// PgBouncer in transaction mode, one that keeps track of prepared statements and one that does not. Three server
// connections serve two instances with many more, so that hardly two statements of a connection meet the same session.
import * as api from 'izzie-memory';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { START_LIMIT_MS, startPgBouncer } from '../../../scripts/servers/pgbouncer.mjs';
import { lacks } from '../../../scripts/test/needs.mjs';
import { startProxy } from '../../support/proxy.mjs';
import { freshDatabase } from '../../support/stores.mjs';
import { quiet, rejection, useDatabase, useGraph } from '../support.mjs';

const CALLERS = 32;
const POOL_SIZE = 3;
const PATIENT = { timeout: 200_000, interval: 1000 };
const SETTINGS = { tracked: 200, untracked: 0 };

const person = (value) => ({ type: 'person', value });
const contents = (memories) => memories.map(({ content }) => content).sort();

const describeHere = describe.skipIf(lacks('pgbouncer', import.meta.url));
const suites = describeHere.each(Object.entries(SETTINGS));

suites('behind PgBouncer, %s', (_name, maxPreparedStatements) => {
  describe.each(['postgres', 'neo4j'])('with the %s graph', (kind) => {
    const database = useGraph(kind);
    let bouncer;
    let layers;

    beforeAll(async () => {
      const databaseUrl = database.url;
      bouncer = await startPgBouncer({ databaseUrl, maxPreparedStatements, poolSize: POOL_SIZE });
      // Their pools differ, so they are not shared: two instances of the application.
      layers = [7, 8].map((max) =>
        database.layer({
          databaseUrl: bouncer.url,
          directUrl: database.url,
          extractor: 'none',
          persistence: { graphWaitMs: 500 },
          pool: { max },
        }),
      );
      // A Neo4j that has just started takes its time to plan.
      await vi.waitFor(() => layers[0].sync.checkConsistency({ deep: true }), PATIENT);
    }, START_LIMIT_MS);
    afterAll(async () => {
      await Promise.all(layers.map((layer) => layer.close()));
      await bouncer.stop();
    });

    /** What one user does, every answer compared with what it must be. */
    async function use(place) {
      const { memory } = layers[place % layers.length];
      const userId = `user ${place}`;
      const own = (text) => `${text} of caller ${place}`;
      const first = await memory.store(
        { userId, content: own('A letter'), metadata: { place } },
        { entities: [person(`Friend ${place}`)], importance: 7 },
      );
      expect(first).toMatchObject({ userId, content: own('A letter'), importance: 7 });
      expect(first.metadata.place).toBe(place);
      const batch = ['One', 'Two', 'Three'].map((word) => ({ userId, content: own(word) }));
      const { stored, failed } = await memory.storeMany(batch);
      expect([contents(stored), failed]).toEqual([contents(batch), []]);
      const [one, two, three] = stored;

      const updated = await memory.update(one.id, { content: own('Changed') }, { userId });
      expect(updated).toMatchObject({ id: one.id, content: own('Changed') });
      await memory.delete(two.id, { userId });
      expect(await memory.getById(two.id, { userId })).toBeNull();
      expect(await memory.getById(first.id, { userId: 'somebody else' })).toBeNull();
      expect(await memory.getById(first.id, { userId })).toMatchObject({ content: own('A letter') });

      const left = [own('A letter'), own('Changed'), own('Three')].sort();
      expect(contents(await memory.getMany([first.id, one.id, two.id, three.id], { userId }))).toEqual(left);
      expect(contents(await memory.getAll(userId))).toEqual(left);
      const found = await memory.retrieve(userId, 'letter', { mode: 'text', limit: 1 });
      expect(contents(found)).toEqual([own('A letter')]);
      expect((await memory.search(userId, 'caller', { limit: 2 })).items).toHaveLength(2);
      expect(await memory.getStats(userId)).toMatchObject({ total: 3 });
      return left;
    }

    test('32 callers at once have each what is theirs', async () => {
      const expected = await Promise.all(Array.from({ length: CALLERS }, (_, place) => use(place)));
      const rows = await database.query('select content from memory_entries where not is_deleted');
      expect(contents(rows)).toEqual(expected.flat().sort());
      await Promise.all(layers.map(({ sync }) => sync.drain({ maxMs: 20_000 })));
      const names = (await database.graph.entities()).map(({ normalized }) => normalized);
      expect(names).toEqual(Array.from({ length: CALLERS }, (_, place) => `friend ${place}`).sort());
    });

    test('those had to share the server connections', async () => {
      const { clients, servers } = await connectionsOf(bouncer, database);
      expect(servers).toBeLessThanOrEqual(POOL_SIZE);
      expect(clients).toBeGreaterThan(2 * POOL_SIZE);
    });

    test('what is owed is paid, checked, found broken and mended', async () => {
      const [{ memory, sync }, { sync: other }] = layers;
      const entry = (index) => ({ userId: 'later', content: `Later ${index}` });
      const stored = await Promise.all(
        Array.from({ length: CALLERS }, (_, index) =>
          memory.store(entry(index), { defer: true, entities: [person('Ada'), person('Bea')] }),
        ),
      );
      const owed = await sync.getQueue({ target: 'graph', limit: 100 });
      expect(owed.items.map(({ memoryId }) => memoryId).sort()).toEqual(stored.map(({ id }) => id).sort());
      await Promise.all([sync.drain({ maxMs: 20_000 }), other.drain({ maxMs: 20_000 })]);
      expect(await sync.getStats()).toMatchObject({ syncPercentage: 100, pending: 0, dead: 0 });
      expect(await sync.checkConsistency({ deep: true })).toEqual([]);

      const [lost, changed] = stored;
      await database.graph.lose(lost.id);
      await database.graph.damage(changed.id);
      const found = await other.checkConsistency();
      expect(found.map(({ memoryId }) => memoryId).sort()).toEqual([lost.id, changed.id].sort());
      expect(await other.repairInconsistencies(found)).toMatchObject({ repaired: 2, failed: 0, pending: 0 });
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent', differences: 0 });
      expect(await sync.rebuildGraph({ userId: 'later', clearExisting: true })).toMatchObject({ failed: 0 });
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent', differences: 0 });
    });

    test('a conflict is listed, decided and logged', async () => {
      const [{ memory, sync }] = layers;
      const { id } = await memory.store(
        { userId: 'edited', content: 'Cy and Di' },
        { entities: [person('Cy'), person('Di')] },
      );
      await sync.drain({ maxMs: 20_000 });
      await database.graph.unmention(id, 'di');
      const full = { userId: 'edited', deep: true };
      expect(await sync.fullSync({ ...full, conflictStrategy: 'manual' })).toMatchObject({ conflicts: 1 });
      expect((await sync.getConflicts({ state: 'open' })).items).toMatchObject([{ memoryId: id }]);
      expect(await sync.fullSync({ ...full, conflictStrategy: 'graph_wins' })).toMatchObject({ failed: 0 });
      expect((await memory.getById(id)).entities.map(({ normalized }) => normalized)).toEqual(['cy']);
      expect(await sync.getStats()).toMatchObject({ conflicts: 0, pending: 0 });
    });
  });
});

describeHere('a layer behind PgBouncer', () => {
  const database = useDatabase();
  const bouncers = {};

  beforeAll(async () => {
    for (const [name, maxPreparedStatements] of Object.entries(SETTINGS))
      bouncers[name] = await startPgBouncer({ databaseUrl: database.url, maxPreparedStatements });
  }, START_LIMIT_MS);
  afterAll(async () => {
    for (const bouncer of Object.values(bouncers)) await bouncer.stop();
  });

  test('statements kept prepared against better knowledge fail, with the advice', async () => {
    const { url } = bouncers.untracked;
    const layer = database.layer({ databaseUrl: url, pool: { max: 8, preparedStatements: 'on' } });
    const calls = Array.from({ length: CALLERS }, (_, place) => layer.memory.getAll(`user ${place}`));
    const errors = (await Promise.allSettled(calls)).flatMap(({ reason }) => reason ?? []);
    await layer.close();
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(error).toBeInstanceOf(api.VectorStoreError);
      expect(error.reason).toBe('STATEMENT_REJECTED');
      expect(error.message).toMatch(/pool\.preparedStatements.*max_prepared_statements/);
    }
  });

  test.each([
    ['tracked', 1],
    ['untracked', 4],
  ])('the round trips of a store, %s: %d', async (name, trips) => {
    const proxy = await startProxy(bouncers[name].url);
    const config = { databaseUrl: proxy.url(bouncers[name].url), pool: { max: 1 }, graphStore: 'none' };
    const layer = database.layer({ ...config, extractor: 'none' });
    const store = () => layer.memory.store({ userId: 'ada', content: 'counted' });
    await store(); // connects and prepares
    await quiet(proxy);
    const before = proxy.roundTrips;
    await store();
    await quiet(proxy);
    // One more comes after the answer, when the connection goes back to its pool: nobody waits for it.
    expect(proxy.roundTrips - before).toBe(trips + 1);
    await layer.close();
    await proxy.close();
  });

  test('a choice of preparedStatements that there is not is refused by name', async () => {
    const { memory } = database.layer({ pool: { preparedStatements: 'sometimes' } });
    const error = await rejection(memory.getAll('ada'));
    expect([error.reason, error.details.field]).toEqual(['INVALID_ARGUMENT', 'pool.preparedStatements']);
  });

  describe('migrate()', () => {
    let empty;
    beforeAll(async () => {
      empty = await freshDatabase();
    });
    afterAll(() => empty.drop());

    const through = (name) => bouncers[name].url.replace(/[^/]+$/, new URL(empty.url).pathname.slice(1));
    const migrate = async (config) => {
      const layer = api.createMemoryLayer({ graphStore: 'none', embedder: 'none', ...config });
      try {
        return await layer.migrate();
      } finally {
        await layer.close();
      }
    };
    const refused = async (config) => {
      const error = await rejection(migrate(config));
      expect([error.reason, error.details.field]).toEqual(['NOT_CONFIGURED', 'directUrl']);
      expect(error.message).toContain('DATABASE_DIRECT_URL');
      const schemas = await empty.query("select 1 from pg_namespace where nspname = 'izzie_memory'");
      expect(schemas, 'nothing was begun').toEqual([]);
    };

    test.each(Object.keys(SETTINGS))('is refused without a direct URL, %s', (name) =>
      refused({ databaseUrl: through(name) }),
    );

    test.each(Object.keys(SETTINGS))('is refused where the direct URL is a pooler too, %s', async (name) => {
      await refused({ databaseUrl: through(name), directUrl: through(name) });
    });

    test('goes past the pooler with one', async () => {
      const applied = await migrate({ databaseUrl: through('untracked'), directUrl: empty.url });
      expect(JSON.stringify(applied)).toContain('0001');
      for (const bouncer of Object.values(bouncers)) await bouncer.stop();
    });
  });
});

/** Clients of the layers, and connections to the server, as both ends count them. */
async function connectionsOf(bouncer, database) {
  const admin = new pg.Client({ connectionString: bouncer.url.replace(/[^/]+$/, 'pgbouncer') });
  await admin.connect();
  const { rows } = await admin.query('show clients');
  await admin.end();
  const [{ servers }] = await database.query(
    "select count(*)::int as servers from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
  );
  return { clients: rows.filter(({ database: name }) => name !== 'pgbouncer').length, servers };
}
