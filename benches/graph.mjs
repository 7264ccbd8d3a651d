#!/usr/bin/env node
// What graphService costs on both graphs, for one user with so many memories, beside the same statements sent by a bare
// driver: node benches/graph.mjs [--sizes 1000,10000,100000] [--graph neo4j,postgres]
// On servers of its own, unless TEST_DATABASE_URL and TEST_NEO4J_URI name others; that Neo4j is wiped.
import { parseArgs } from 'node:util';
import { openSession } from '../scripts/servers/session.mjs';
import { measure } from './graph/measure.mjs';
import { Neo4jFloor } from './graph/neo4j.mjs';
import { PostgresFloor } from './graph/postgres.mjs';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000' },
    graph: { type: 'string', default: 'neo4j,postgres' },
  },
});

const session = await openSession();
try {
  const environment = { ...process.env, ...session.environment };
  for (const kind of values.graph.split(','))
    for (const count of values.sizes.split(',')) await measureOn(kind, Number(count), environment);
} finally {
  await session.close();
}

/** A database of its own for every size. */
async function measureOn(kind, count, environment) {
  const server = new PostgresFloor(environment.TEST_DATABASE_URL);
  const name = `bench_graph_${kind}_${count}`;
  await server.query(`create database ${name} template template0`);
  const url = new URL(environment.TEST_DATABASE_URL);
  url.pathname = `/${name}`;
  const postgres = new PostgresFloor(url.href);
  const floor = kind === 'neo4j' ? new Neo4jFloor(neo4jSettings(environment)) : postgres;
  try {
    await measure({ floor, postgres, databaseUrl: url.href, count });
  } finally {
    if (floor !== postgres) await floor.close();
    await postgres.close();
    await server.query(`drop database ${name} with (force)`);
    await server.close();
  }
}

function neo4jSettings(environment) {
  const { TEST_NEO4J_URI: uri, TEST_NEO4J_USER: user, TEST_NEO4J_PASSWORD: password } = environment;
  return { uri, user, password };
}
