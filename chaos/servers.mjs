// Servers of the run's own, which it may kill.
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guard } from '../scripts/servers/guard.mjs';
import { Neo4j } from '../scripts/servers/neo4j.mjs';
import { Postgres } from '../scripts/servers/postgres.mjs';

/**
 * @param {'neo4j' | 'postgres'} graph
 * @returns {Promise<{ folder: string, kinds: { name: string, server: import('../scripts/servers/server.mjs').Server }[],
 *   layer: object, close(): Promise<void> }>} `layer`: the settings of layers on these servers
 */
export async function startServers(graph) {
  const folder = mkdtempSync(join(tmpdir(), 'izzie-memory-chaos-'));
  chmodSync(folder, 0o711); // as root, Postgres runs as another user
  const guard = new Guard(folder);
  const postgres = new Postgres(join(folder, 'postgres'));
  const neo4j = new Neo4j(join(folder, 'neo4j'));
  const kinds = [{ name: 'postgres', server: postgres }];
  if (graph === 'neo4j') kinds.push({ name: 'neo4j', server: neo4j });
  try {
    await Promise.all(kinds.map(({ server }) => server.start()));
  } catch (error) {
    await guard.close();
    throw error;
  }
  return { folder, kinds, layer: settings(graph, postgres, neo4j), close: () => guard.close() };
}

function settings(graph, postgres, neo4j) {
  const { TEST_DATABASE_URL: databaseUrl } = postgres.environment;
  if (graph === 'postgres') return { databaseUrl, graphStore: 'postgres' };
  const { TEST_NEO4J_URI: uri, TEST_NEO4J_USER: user, TEST_NEO4J_PASSWORD: password } = neo4j.environment;
  return { databaseUrl, graphStore: 'neo4j', neo4j: { uri, user, password } };
}
