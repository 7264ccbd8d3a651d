// The stores that tests run against, see scripts/with-servers.mjs.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import neo4jDriver from 'neo4j-driver';
import pg from 'pg';

/** An empty database on the test server: its `url`, `query(sql, parameters)` for a look at it, and `drop()`. */
export async function freshDatabase() {
  const server = required('TEST_DATABASE_URL');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await oneQuery(server, `create database ${name} template template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    query: async (sql, parameters) => (await oneQuery(url.href, sql, parameters)).rows,
    drop: () => drop(server, name),
  };
}

/** A database is dropped when its test is done with it: a connection that is then still open is a leak, and fails the test. */
async function drop(server, name) {
  const leaked = await openConnections(server, name);
  await oneQuery(server, `drop database if exists ${name} with (force)`);
  if (leaked > 0) throw new Error(`${leaked} connection(s) to the test's database were left open`);
}

/** Closed ones take the server a moment to notice. */
async function openConnections(server, name) {
  const query = 'select count(*)::int as open from pg_stat_activity where datname = $1';
  for (let attempt = 0; ; attempt += 1) {
    const { open } = (await oneQuery(server, query, [name])).rows[0];
    if (open === 0 || attempt === 400) return open;
    await sleep(50);
  }
}

async function oneQuery(url, sql, parameters) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql, parameters);
  } finally {
    await client.end();
  }
}

/** The test Neo4j, one for all tests: use user ids of your own. `query(cypher, parameters)` returns rows as objects. */
export function neo4j() {
  const uri = required('TEST_NEO4J_URI');
  const user = required('TEST_NEO4J_USER');
  const password = required('TEST_NEO4J_PASSWORD');
  const options = { disableLosslessIntegers: true };
  const driver = neo4jDriver.driver(uri, neo4jDriver.auth.basic(user, password), options);
  return {
    uri,
    user,
    password,
    query: async (cypher, parameters) => {
      const { records } = await driver.executeQuery(cypher, parameters);
      return records.map((record) => record.toObject());
    },
    close: () => driver.close(),
  };
}

/**
 * Stops, starts or kills (`kill9`) a server that this test run owns. Where it was given ours to use only, the function
 * is undefined: skip the test.
 */
export const controlPostgres = controller('TEST_POSTGRES_CTL');
export const controlNeo4j = controller('TEST_NEO4J_CTL');

function controller(variable) {
  const command = process.env[variable];
  if (!command) return undefined;
  return (verb) => promisify(execFile)('/bin/sh', ['-c', `${command} ${verb}`]);
}

function required(variable) {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set: run this through scripts/with-servers.mjs`);
  return value;
}
