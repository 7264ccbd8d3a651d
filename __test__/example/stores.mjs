// A Postgres database and the Neo4j of this test run, each by way of a proxy that can fail.
import * as api from 'izzie-memory';
import { neo4jGraph, WIPE } from '../api/graphs.mjs';
import { migratedDatabase } from '../support/migrated.mjs';
import { startProxy } from '../support/proxy.mjs';
import { neo4j } from '../support/stores.mjs';

/** Both empty. `variables` is what a server has to be told of them. */
export async function openStores() {
  const database = await migratedDatabase(api);
  const server = neo4j();
  const graph = neo4jGraph(server.query);
  await server.query(WIPE);
  const proxies = { postgres: await startProxy(database.url), neo4j: await startProxy(server.uri) };
  const variables = {
    DATABASE_URL: proxies.postgres.url(database.url),
    NEO4J_URI: proxies.neo4j.url(server.uri),
    NEO4J_USER: server.user,
    NEO4J_PASSWORD: server.password,
  };
  const close = async () => {
    for (const proxy of Object.values(proxies)) await proxy.close();
    await server.query(WIPE);
    await server.close();
    await database.drop();
  };
  return { database, graph, proxies, variables, close };
}
