// A database of 10,000 rows is adopted while its application goes on writing it.
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { START_LIMIT_MS, startPgBouncer } from '../../../scripts/servers/pgbouncer.mjs';
import { lacks } from '../../../scripts/test/needs.mjs';
import { useGraph } from '../support.mjs';
import {
  as,
  createAppRole,
  describeSchema,
  fill,
  listTriggers,
  readRows,
  startWriter,
  USERS,
} from './app.mjs';

const ROWS = 10_000;
const WRITERS = 4;
/** What the package puts on the application's table. */
const OURS = ['deleted', 'inserted', 'rewritten', 'truncated', 'updated'].map(
  (event) => `izzie_memory_${event}`,
);

const DIRECT = [{ graph: 'postgres' }, { graph: 'neo4j' }];
const POOLED = [
  { graph: 'postgres', maxPreparedStatements: 200 },
  { graph: 'postgres', maxPreparedStatements: 0 },
];
const suites = (name, suite) => {
  describe.each(DIRECT)(name, suite);
  describe.skipIf(lacks('pgbouncer', import.meta.url)).each(POOLED)(name, suite);
};

suites(
  '10,000 rows adopted: $graph graph, PgBouncer with max_prepared_statements $maxPreparedStatements',
  ({ graph, maxPreparedStatements }) => {
    const before = {};
    const database = useGraph(graph, { migrate: false, before: (query) => fill(query, ROWS) });
    /** How the application connects, and how the package does. */
    let appUrl;
    let settings;
    let role;
    let pooler;

    beforeAll(async () => {
      role = await createAppRole(database);
      [appUrl, settings] = [role.url, {}];
      if (maxPreparedStatements !== undefined) {
        const users = { [role.name]: role.password };
        pooler = await startPgBouncer({ databaseUrl: database.url, maxPreparedStatements, users });
        appUrl = as(pooler.url, role.name, role.password);
        settings = { databaseUrl: pooler.url, directUrl: database.url };
      }
      const { query } = database;
      Object.assign(before, {
        schema: await describeSchema(query),
        triggers: await listTriggers(query),
        rows: await readRows(query),
      });
    }, START_LIMIT_MS);

    afterAll(async () => {
      await pooler?.stop();
      await role.drop();
    });

    test('while four writers go on: nothing is lost or changed, the graph is equal, nothing is paid', async () => {
      const asked = [];
      const embed = async (texts) => {
        asked.push(...texts);
        return texts.map(() => Array(1536).fill(0));
      };
      const extract = async ({ content }) => asked.push(content);
      const models = { embedder: { model: 'paid', dimensions: 1536, embed }, extractor: { extract } };
      const { migrate, sync } = database.layer({ ...models, ...settings });

      const writers = startWriters(appUrl, before.rows);
      await Promise.all(writers.map((writer) => writer.wrote(20)));
      const told = [];
      for (const { progress } of writers) progress.slowest = 0;
      const begun = performance.now();
      const { adopted } = await migrate({ onProgress: (progress) => told.push(progress) });
      const took = performance.now() - begun;
      // Of short locks there are many: nobody has waited for the whole.
      for (const { progress } of writers) expect(progress.slowest).toBeLessThan(took * 0.75);
      await sync.drain({ maxMs: 3000 }); // The graph is filled while they go on.
      await Promise.all(writers.map((writer) => writer.wrote(60)));
      const logs = await Promise.all(writers.map((writer) => writer.stop()));

      expect(adopted).toMatchObject({ pending: 0, failed: [] });
      expect(adopted.rows).toBeGreaterThan(ROWS / 2);
      expect(told.at(-1)).toMatchObject({ done: adopted.rows });
      expect(await settled(sync)).toMatchObject({ failed: 0, pending: 0, inconsistencies: [] });
      expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
      expect(asked).toEqual([]);

      const rows = await readRows(database.query);
      const expected = replay(before.rows, logs);
      expect(rows.size).toBe(expected.size);
      const differing = [...rows.values()].filter((row) => !isDeepStrictEqual(row, expected.get(row.id)));
      expect(differing.slice(0, 3)).toEqual(differing.slice(0, 3).map(({ id }) => expected.get(id)));
      await expectMirrored(database, rows);
      for (const { operations } of logs) expect(operations).toBeGreaterThan(50);
    }, 1200_000);

    test("leaves the application's schema as it was, but for the triggers", async () => {
      expect(await describeSchema(database.query)).toEqual(before.schema);
      const added = OURS.map((name) => ({ table: 'memory_entries', name }));
      const triggers = await listTriggers(database.query);
      expect(triggers).toHaveLength(before.triggers.length + added.length);
      expect(triggers).toEqual(expect.arrayContaining([...before.triggers, ...added]));
    });
  },
);

/** Each has users of its own, whose rows nobody else writes. */
function startWriters(url, rows) {
  const shares = Array.from({ length: WRITERS }, (_, n) => USERS.filter((_user, at) => at % WRITERS === n));
  return shares.map((users, n) => startWriter(url, users, rows, n + 1));
}

/** What the rows should be, by the writers' own logs. */
function replay(before, logs) {
  const expected = new Map(before);
  for (const { rows, gone } of logs) {
    for (const [id, row] of rows) expected.set(id, row);
    for (const id of gone) expected.delete(id);
  }
  return expected;
}

/** The graph has the live rows, and the entities that stand in them. */
async function expectMirrored({ graph }, rows) {
  const live = [...rows.values()].filter((row) => !row.is_deleted);
  expect((await graph.memories()).sort()).toEqual(live.map(({ id }) => id).sort());
  for (const { id, metadata } of live.slice(0, 50)) {
    expect(await graph.mentions(id)).toEqual(namesIn(metadata?.entities));
  }
}

/** As the package writes names: in lower case, a company's without its legal form. */
const namesIn = (entities) =>
  (Array.isArray(entities) ? entities : [])
    .filter((entity) => entity?.type !== 'dragon' && typeof entity?.value === 'string')
    .map(({ value }) => value.toLowerCase().replace(' inc.', ''))
    .sort();

/** A Neo4j that is busy may take longer than one call has patience. */
async function settled(sync, attempts = 20) {
  const result = await sync.fullSync().catch((error) => {
    if (!error.retryable || attempts === 0) throw error;
    return { pending: Number.POSITIVE_INFINITY };
  });
  if (result.pending === 0 || attempts === 0) return result;
  await sleep(500);
  return await settled(sync, attempts - 1);
}
