// The servers of one test run: those the environment names, else our own in a throw-away folder.
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Guard } from './guard.mjs';
import { Neo4j } from './neo4j.mjs';
import { Postgres } from './postgres.mjs';

const CLI = fileURLToPath(new URL('cli.mjs', import.meta.url));

/**
 * Starts what the environment does not name. Returns the variables that point the tests at the servers, and `close()`,
 * which removes our own; should this process be killed, its guard does that.
 */
export async function openSession(given = process.env) {
  const runDir = mkdtempSync(join(tmpdir(), 'izzie-memory-test-'));
  chmodSync(runDir, 0o711); // as root, Postgres runs as another user
  const guard = new Guard(runDir);
  const close = () => guard.close();
  const starts = [postgresVariables(given, runDir), neo4jVariables(given, runDir)];
  const settled = await Promise.allSettled(starts); // one's failure does not cut the other off halfway
  const problems = settled
    .filter((start) => start.status === 'rejected')
    .map((start) => start.reason.message);
  if (problems.length > 0) {
    await close();
    throw new Error(problems.join('\n'));
  }
  return { environment: Object.assign({}, ...settled.map((start) => start.value)), guard, close };
}

async function postgresVariables(given, runDir) {
  if (given.TEST_DATABASE_URL) return {};
  return startOwn(new Postgres(join(runDir, 'postgres')), 'postgres', 'TEST_POSTGRES_CTL');
}

async function neo4jVariables(given, runDir) {
  const { TEST_NEO4J_URI, TEST_NEO4J_USER = 'neo4j', TEST_NEO4J_PASSWORD } = given;
  if (!TEST_NEO4J_URI) return startOwn(new Neo4j(join(runDir, 'neo4j')), 'neo4j', 'TEST_NEO4J_CTL');
  if (!TEST_NEO4J_PASSWORD) throw new Error('TEST_NEO4J_URI is set, but TEST_NEO4J_PASSWORD is not.');
  return { TEST_NEO4J_USER };
}

/** Own servers may be stopped and killed by tests: the variable holds a command line that takes the verb. */
async function startOwn(server, kind, controlVariable) {
  await server.start();
  const words = [process.execPath, CLI, '--run-dir', server.runDir, kind];
  return { ...server.environment, [controlVariable]: words.map(shellQuoted).join(' ') };
}

function shellQuoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
