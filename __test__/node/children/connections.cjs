'use strict';

// Counts the connections to DATABASE_URL that one service holds, and many.
const path = require('node:path');
const pg = require('pg');

const ROOT = path.resolve(__dirname, '../../..');
const CALLS = 10;

async function main() {
  const observer = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await observer.connect();
  await use(load().persistenceService);
  const ofOne = await connections(observer);
  const services = Array.from({ length: 100 }, () => new (load().PersistenceService)());
  await Promise.all(services.map(use));
  for (let reload = 0; reload < 10; reload += 1) {
    forget();
    await use(new (load().PersistenceService)());
  }
  const ofMany = await connections(observer);
  await load().shutdown();
  const afterShutdown = await connections(observer, 0);
  await observer.end();
  console.log(JSON.stringify({ ofOne, ofMany, afterShutdown }));
}

/** Enough at the same time to make the pool open all it may. */
async function use(service) {
  const stores = Array.from({ length: CALLS }, (_, number) =>
    service.store({ userId: 'lifecycle', content: `number ${number}` }),
  );
  for (const { success, error } of await Promise.all(stores)) if (!success) throw error;
}

function load() {
  return require('izzie-memory');
}

function forget() {
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(ROOT + path.sep) && !file.includes('node_modules')) delete require.cache[file];
  }
}

/** Closed ones take the server a moment to notice: waits for `expected`, where it is given. */
async function connections(observer, expected) {
  const sql = `select count(*)::int as open from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  for (let attempt = 0; ; attempt += 1) {
    const { open } = (await observer.query(sql)).rows[0];
    if (expected === undefined || open === expected || attempt === 400) return open;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

main();
