import { test } from 'node:test';
import * as api from 'izzie-memory';
import { migratedDatabase } from '../support/migrated.mjs';
import { COUNTS, PLANTS } from './postgres-plants.mjs';
import { findAndRepair } from './scenario.mjs';

const MEMORIES = 10_000;

test('37 differences of every kind among 10,000 on the graph in Postgres', async (t) => {
  const database = await migratedDatabase(api);
  try {
    const config = { databaseUrl: database.url, graphStore: 'postgres', embedder: 'none', extractor: 'none' };
    const graph = {
      plant: (kind, id) => database.query(PLANTS[kind], [id]),
      mentioning: async (key) => {
        const rows = await database.query(
          'select memory_id as id from izzie_memory.graph_mentions where entity_key = $1',
          [key],
        );
        return rows.map(({ id }) => id);
      },
    };
    await findAndRepair(t, { count: MEMORIES, database, config, counts: COUNTS, graph });
  } finally {
    await database.drop();
  }
});
