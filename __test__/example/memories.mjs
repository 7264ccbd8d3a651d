// What other programs do to the database that the server uses.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import pg from 'pg';

const grace = { type: 'person', value: 'Grace Hopper' };

export const MEMORIES = [
  { userId: 'ada', content: 'Lunch with Grace Hopper', entities: [grace] },
  { userId: 'ada', content: 'Grace Hopper wrote', entities: [grace] },
  { userId: 'ada', content: 'Ordered paper', entities: [] },
  { userId: 'bob', content: 'Call Acme Inc.', entities: [{ type: 'company', value: 'Acme Inc.' }] },
  { userId: 'bob', content: 'Buy a present', entities: [] },
];

const SEED = `
import { enhancedMemoryService } from 'izzie-memory';

const ids = [];
for (const { entities, ...memory } of ${JSON.stringify(MEMORIES)}) {
  ids.push((await enhancedMemoryService.store(memory, { entities })).id);
}
console.log(JSON.stringify(ids));
`;

/** Stores them with the package that the app has installed, in a process of its own. Returns their ids. */
export async function seed(app) {
  app.write('seed.mjs', SEED);
  return JSON.parse(await app.node(['seed.mjs'], { IZZIE_MEMORY_DIR: app.store }));
}

/** Behind the package's back, through a plain client. */
export async function removeFromGraph(app, ids) {
  const require = createRequire(app.path('node_modules/izzie-memory/lib/'));
  const embedded = await require('./embedded/index.cjs').openEmbedded({ folder: app.store });
  const client = new pg.Client({ connectionString: embedded.databaseUrl });
  await client.connect();
  try {
    await client.query('delete from izzie_memory.graph_mentions where memory_id = any($1)', [ids]);
    const removed = 'delete from izzie_memory.graph_memories where memory_id = any($1)';
    assert.equal((await client.query(removed, [ids])).rowCount, ids.length);
  } finally {
    await client.end();
    await embedded.close();
  }
}
