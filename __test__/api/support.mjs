// Stores and small helpers of the suites that walk the public contract.
import { setTimeout as sleep } from 'node:timers/promises';
import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { migratedDatabase } from '../support/migrated.mjs';
import { neo4j } from '../support/stores.mjs';
import { neo4jGraph, postgresGraph } from './graphs.mjs';

/** Rules that concern the graph hold on both of its stores. */
export const onBothGraphs = describe.each(['postgres', 'neo4j']);

/** Removes what the package has in the test's Neo4j, its binding to a database included. */
const WIPE = 'MATCH (n) WHERE n:IzzieMemory OR n:IzzieEntity OR n:IzzieBeat DETACH DELETE n';

/**
 * A migrated database of its own for the suite that calls this. `layer(config)` makes layers on it, with the graph in
 * Postgres and no embedder unless told otherwise; they are closed before it is dropped.
 */
export function useDatabase() {
  const layers = [];
  const database = {
    layer(config) {
      const layer = api.createMemoryLayer({
        databaseUrl: database.url,
        graphStore: 'postgres',
        embedder: 'none',
        ...config,
      });
      layers.push(layer);
      return layer;
    },
    /** What is owed to which target. */
    debts: () =>
      database.query(
        'select target, memory_id, state, attempts from izzie_memory.memory_sync order by target, memory_id',
      ),
  };
  beforeAll(async () => Object.assign(database, await migratedDatabase(api)));
  afterAll(async () => {
    await Promise.all(layers.map((layer) => layer.close()));
    await database.drop();
  });
  return database;
}

/** The same with a look into an empty graph, which its layers use: `database.graph`. */
export function useGraph(kind) {
  const database = useDatabase();
  if (kind === 'postgres') database.graph = postgresGraph((...args) => database.query(...args));
  else useNeo4j(database);
  return database;
}

function useNeo4j(database) {
  let server;
  const plain = database.layer;
  database.layer = (config) => plain({ graphStore: 'neo4j', neo4j: credentials(server), ...config });
  beforeAll(async () => {
    server = neo4j();
    await server.query(WIPE);
    Object.assign(database, {
      neo4j: { ...server, credentials: credentials(server) },
      graph: neo4jGraph(server.query),
    });
  });
  afterAll(async () => {
    await server.query(WIPE);
    await server.close();
  });
}

const credentials = ({ uri, user, password }) => ({ uri, user, password });

/** Resolves to what the promise is rejected with. */
export async function rejection(promise) {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  expect(outcome, 'it should have been rejected').not.toHaveProperty('value');
  return outcome.error;
}

/** Resolves when nothing goes through a proxy any more: a connection still says something after its answer. */
export async function quiet(proxy) {
  let last;
  do {
    last = { ...proxy.bytes };
    await sleep(100);
  } while (last.client !== proxy.bytes.client || last.target !== proxy.bytes.target);
}

/** An embedder that knows what to answer: `vectors` maps texts to embeddings. */
export function tableEmbedder(vectors, { model = 'table', dimensions = 3 } = {}) {
  const table = new Map(Object.entries(vectors));
  const embed = async (texts) =>
    texts.map((text) => {
      if (!table.has(text)) throw new Error(`no vector for ${JSON.stringify(text)}`);
      return table.get(text);
    });
  return { model, dimensions, embed };
}
