#!/usr/bin/env node
// What check, deltaSync, repair and rebuild cost, how that grows with the number of memories, and how far it is from
// the bare stores: node benches/sync.mjs [--sizes 1000,10000,100000] [--million] [--graph neo4j,postgres]
// On servers of its own, unless TEST_DATABASE_URL and TEST_NEO4J_URI name others; that Neo4j is wiped.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Postgres } from '../scripts/servers/postgres.mjs';
import { openSession } from '../scripts/servers/session.mjs';
import { measure } from './sync/measure.mjs';
import { BareNeo4j } from './sync/neo4j.mjs';
import { BarePostgres } from './sync/postgres.mjs';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000' },
    million: { type: 'boolean', default: false },
    graph: { type: 'string', default: 'neo4j,postgres' },
  },
});
const sizes = [...values.sizes.split(',').map(Number), ...(values.million ? [1_000_000] : [])];

const session = await openSession();
try {
  const environment = { ...process.env, ...session.environment };
  const psql = await psqlProgram();
  for (const kind of values.graph.split(','))
    for (const count of sizes) await measureOn(kind, count, environment, psql);
} finally {
  await session.close();
}

/** A database of its own for every size. */
async function measureOn(kind, count, environment, psql) {
  const server = new BarePostgres(environment.TEST_DATABASE_URL, psql);
  const name = `bench_${kind}_${count}`;
  await server.query(`create database ${name} template template0`);
  const url = new URL(environment.TEST_DATABASE_URL);
  url.pathname = `/${name}`;
  const postgres = new BarePostgres(url.href, psql);
  const graph = kind === 'neo4j' ? new BareNeo4j(neo4jSettings(environment)) : postgres;
  try {
    await measure({ graph, postgres, databaseUrl: url.href, count });
  } finally {
    await graph.close();
    await server.query(`drop database ${name} with (force)`);
  }
}

function neo4jSettings(environment) {
  const { TEST_NEO4J_URI: uri, TEST_NEO4J_USER: user, TEST_NEO4J_PASSWORD: password } = environment;
  return { uri, user, password };
}

/** The one that came with the test server: its version fits. */
async function psqlProgram() {
  const server = new Postgres(tmpdir()); // only looked up, never started
  await server.resolve();
  return join(server.bin, 'psql');
}
