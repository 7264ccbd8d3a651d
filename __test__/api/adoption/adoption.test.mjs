// A database of 10,000 rows is adopted while its application goes on writing it.
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onBothGraphs, useGraph } from '../support.mjs';
import { createAppRole, describeSchema, fill, listTriggers, readRows, startWriter, USERS } from './app.mjs';

const ROWS = 10_000;
const WRITERS = 4;
/** What the package puts on the application's table. */
const OURS = ['deleted', 'inserted', 'rewritten', 'truncated', 'updated'].map(
  (event) => `izzie_memory_${event}`,
);

onBothGraphs('a database of 10,000 rows, adopted into the %s graph', (kind) => {
  let before;
  let role;
  const database = useGraph(kind, {
    migrate: false,
    before: async (query) => {
      await fill(query, ROWS);
      before = {
        schema: await describeSchema(query),
        triggers: await listTriggers(query),
        rows: await readRows(query),
      };
    },
  });

  beforeAll(async () => {
    role = await createAppRole(database);
    before.schema = await describeSchema(database.query);
  });
  afterAll(() => role.drop());

  test('while four writers go on: nothing is lost, nothing is changed, the graph is equal', async () => {
    const writers = Array.from({ length: WRITERS }, (_, n) =>
      startWriter(
        role.url,
        USERS.filter((_user, index) => index % WRITERS === n),
        before.rows,
        n + 1,
      ),
    );
    await Promise.all(writers.map((writer) => writer.wrote(20)));
    const asked = [];
    const embed = async (texts) => {
      asked.push(...texts);
      return texts.map(() => Array(1536).fill(0));
    };
    const { migrate, sync } = database.layer({
      embedder: { model: 'paid', dimensions: 1536, embed },
      extractor: 'none',
    });
    const told = [];
    const result = await migrate({ onProgress: (progress) => told.push(progress) });
    expect(result.adopted).toMatchObject({ pending: 0, failed: [] });
    expect(result.adopted.rows).toBeGreaterThan(ROWS - 2000);
    expect(told.at(-1)).toMatchObject({ done: result.adopted.rows });

    await settled(sync);
    const logs = await Promise.all(writers.map((writer) => writer.stop()));
    expect(await settled(sync)).toMatchObject({ failed: 0, pending: 0, inconsistencies: [] });
    expect(await sync.verify({ deep: true })).toMatchObject({ state: 'consistent' });
    expect(asked).toEqual([]);

    const expected = new Map(before.rows);
    for (const { rows, gone } of logs) {
      for (const [id, row] of rows) expected.set(id, row);
      for (const id of gone) expected.delete(id);
    }
    const rows = await readRows(database.query);
    expect(rows.size).toBe(expected.size);
    const differing = [...rows.values()].filter((row) => !isDeepStrictEqual(row, expected.get(row.id)));
    expect(differing.slice(0, 3)).toEqual(differing.slice(0, 3).map(({ id }) => expected.get(id)));

    const live = [...rows.values()].filter((row) => !row.is_deleted).map(({ id }) => id);
    expect((await database.graph.memories()).sort()).toEqual(live.sort());
    for (const { operations, slowest } of logs) {
      expect(operations).toBeGreaterThan(100);
      expect(slowest).toBeLessThan(3000);
    }
  }, 120_000);

  test("leaves the application's schema as it was, but for the triggers", async () => {
    expect(await describeSchema(database.query)).toEqual(before.schema);
    const added = OURS.map((name) => ({ table: 'memory_entries', name }));
    const all = [...before.triggers, ...added].sort((a, b) =>
      `${a.table} ${a.name}`.localeCompare(`${b.table} ${b.name}`),
    );
    expect(await listTriggers(database.query)).toEqual(all);
  });
});

/** A Neo4j that has just started may take longer than a call has patience. */
async function settled(sync, attempts = 10) {
  try {
    return await sync.fullSync();
  } catch (error) {
    if (!error.retryable || attempts === 0) throw error;
    return await settled(sync, attempts - 1);
  }
}
