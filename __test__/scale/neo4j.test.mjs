import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as api from 'izzie-memory';
import { migratedDatabase } from '../support/migrated.mjs';
import { neo4j } from '../support/stores.mjs';
import { COUNTS, PLANTS } from './neo4j-plants.mjs';
import { findAndRepair } from './scenario.mjs';

const MEMORIES = 100_000;

/** Nodes of the application beside ours, with our labels that are also its own, and edges among them. */
const FOREIGN = `
  UNWIND range(1, 500) AS i
  CREATE (p:Person {name: 'Person ' + i, key: toString(i)})-[:WROTE {at: i}]->(:Memory {key: toString(i), userId: 'user-1'})`;
const READ_FOREIGN = `
  MATCH (n) WHERE NOT (n:IzzieMemory OR n:IzzieEntity OR n:IzzieBeat)
  RETURN labels(n) AS labels, properties(n) AS properties,
    [(n)-[r]-(x) | [type(r), properties(r), properties(x)]] AS edges ORDER BY n.key, labels`;
/** One transaction for all would exceed the server's memory. */
const WIPE_SOME = 'MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS gone';
const MENTIONING = 'MATCH (:IzzieEntity {key: $key})-[:MENTIONED_IN]->(m:IzzieMemory) RETURN m.key AS id';

test('37 differences of every kind among 100,000 on Neo4j, in less than 300 MB', async (t) => {
  const server = neo4j();
  const database = await migratedDatabase(api);
  try {
    await wipe(server);
    await server.query(FOREIGN);
    const foreign = await server.query(READ_FOREIGN);
    const { uri, user, password } = server;
    const config = {
      databaseUrl: database.url,
      graphStore: 'neo4j',
      neo4j: { uri, user, password },
      embedder: 'none',
      extractor: 'none',
    };
    const graph = {
      plant: (kind, id) => server.query(PLANTS[kind], { id }),
      mentioning: async (key) => (await server.query(MENTIONING, { key })).map(({ id }) => id),
    };
    await findAndRepair(t, { count: MEMORIES, database, config, counts: COUNTS, graph });
    assert.deepEqual(await server.query(READ_FOREIGN), foreign, 'nodes of others are as they were');
  } finally {
    await wipe(server);
    await server.close();
    await database.drop();
  }
});

async function wipe(server) {
  let gone;
  do {
    [{ gone }] = await server.query(WIPE_SOME);
  } while (gone > 0);
}
