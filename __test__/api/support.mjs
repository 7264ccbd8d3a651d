// Stores and small helpers of the suites that walk the public contract.
import { setTimeout as sleep } from 'node:timers/promises';
import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { freshDatabase, neo4j } from '../support/stores.mjs';
import { neo4jGraph, postgresGraph, WIPE } from './graphs.mjs';

/** Rules that concern the graph hold on both of its stores. */
export const onBothGraphs = describe.each(['postgres', 'neo4j']);

/**
 * A migrated database of its own for the suite that calls this. `layer(config)` makes layers on it, with the graph in
 * Postgres and no embedder unless told otherwise; they are closed before it is dropped. `before(query)` puts something
 * into it before the package's tables come, which `migrate: false` leaves to the suite.
 */
export function useDatabase({ before, migrate = true } = {}) {
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
  beforeAll(async () => {
    Object.assign(database, await freshDatabase());
    await before?.(database.query);
    if (!migrate) return;
    const layer = api.createMemoryLayer({ databaseUrl: database.url, graphStore: 'none', embedder: 'none' });
    await layer.migrate();
    await layer.close();
  });
  afterAll(async () => {
    await Promise.all(layers.map((layer) => layer.close()));
    await database.drop();
  });
  return database;
}

/**
 * The same with a look into the graph that its layers use, `database.graph`, which is empty at first. `empty()` takes
 * everything out of both stores, as if nothing had ever been there.
 */
export function useGraph(kind, options) {
  const database = useDatabase(options);
  if (kind === 'postgres') database.graph = postgresGraph((...args) => database.query(...args));
  else useNeo4j(database);
  database.empty = async () => {
    await database.query('truncate memory_entries');
    await database.query(
      'truncate izzie_memory.memory_state, izzie_memory.memory_sync, izzie_memory.memory_vectors',
    );
    await database.graph.clear();
  };
  return database;
}

function useNeo4j(database) {
  let server;
  const plain = database.layer;
  // What is written is waited for: a Neo4j that has just started takes its time.
  const patient = { persistence: { graphWaitMs: 20_000 } };
  database.layer = (config) =>
    plain({ graphStore: 'neo4j', neo4j: credentials(server), ...patient, ...config });
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

/** A promise, `opened`, that `open` fulfils. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Resolves when nothing goes through a proxy any more: a connection still says something after its answer. */
export async function quiet(proxy) {
  let last;
  do {
    last = { ...proxy.bytes };
    await sleep(300);
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

/** The same numbers in every run. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
