// The demo with the graph in Neo4j, on a database named on its command line.
import { beforeAll, describe, expect, test } from 'vitest';
import { demoJson, TEST_LIMIT_MS } from '../../support/demo.mjs';
import { useGraph } from '../support.mjs';

describe('the demo on Neo4j', () => {
  const database = useGraph('neo4j');
  let first;
  let second;

  beforeAll(async () => {
    const { uri, user, password } = database.neo4j;
    const env = { NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password };
    first = await demoJson(['--database', database.url], env);
    second = await demoJson(['--database', database.url], env);
  }, TEST_LIMIT_MS);

  test('keeps the memories in the database and the graph where it is told', async () => {
    const { hostname, port } = new URL(database.neo4j.uri);
    expect(first.stores).toContain(`graph in Neo4j at ${hostname}:${port}`);
    expect(first).toMatchObject({ code: 0, failures: [], stored: 63, created: 63 });
    expect(second).toMatchObject({ code: 0, failures: [], stored: 63, created: 0 });
    const [{ count }] = await database.query('select count(*)::int from memory_entries');
    expect(count).toBe(63);
    expect(await database.graph.memories()).toHaveLength(63);
  });

  test('finds what it removed by Cypher, and repairs it', () => {
    for (const { drift, stats } of [first, second]) {
      expect(drift).toMatchObject({ removed: 13, found: { missing_in_graph: 13 }, left: 0 });
      expect(drift.repair).toMatchObject({ repaired: 13, failed: 0 });
      expect(stats).toMatchObject({ syncPercentage: 100, graphStoreCount: 63 });
    }
  });

  test('shows relations out of Neo4j', () => {
    const works = first.relations.filter(({ kind }) => kind === 'WORKS_FOR');
    expect(works.map(({ fromName }) => fromName)).toContain('Ingrid Solberg');
    expect(first.relations.some(({ kind }) => kind === 'CO_OCCURS')).toBe(true);
  });
});
