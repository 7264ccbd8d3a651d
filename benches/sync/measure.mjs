// The four operations on one number of memories, each beside its floor.
import { createMemoryLayer } from 'izzie-memory';
import { changeMemories, ENTITIES, insertMemories, OF_ONE_USER, ONE_USER, someIds } from './data.mjs';
import { median, repeated, timed } from './time.mjs';

const OWED = 100;
const MISSING = 200;
const WARM_UP = 500;
const SAMPLES = 5;

/**
 * @param {{ graph: import('./neo4j.mjs').BareNeo4j | import('./postgres.mjs').BarePostgres,
 *   postgres: import('./postgres.mjs').BarePostgres, databaseUrl: string, count: number }} setting
 */
export async function measure({ graph, postgres, databaseUrl, count }) {
  const settings = { databaseUrl, ...graph.settings, embedder: 'none', extractor: 'none' };
  await graph.wipe();
  await withLayer({ ...settings, graphStore: 'none' }, (layer) => layer.migrate());
  const seeding = await timed(() => insertMemories(postgres.query, count));
  print(
    `\n${count} memories with ${ENTITIES} entities, graph in ${graph.kind} (seeded in ${seconds(seeding)})`,
  );
  await withLayer(settings, async ({ sync }) => {
    await measureRebuild(sync, count);
    await measureCheck(sync, graph, postgres, count);
    await measureDelta(sync, postgres);
    await measureRepair(sync, graph, postgres);
  });
}

async function measureRebuild(sync, count) {
  await warmUp(sync);
  let pending;
  const time = await timed(async () => {
    ({ pending } = await sync.rebuildGraph());
  });
  if (pending !== 0) throw new Error(`the rebuild left ${pending} memories owed`);
  row('rebuild', time, count);
}

/** A Neo4j that has just started plans and compiles for seconds, and may not answer in time at first. */
async function warmUp(sync) {
  for (;;) {
    try {
      await sync.rebuildGraph({ limit: WARM_UP });
      return;
    } catch (error) {
      if (!error.retryable) throw error;
    }
  }
}

async function measureCheck(sync, graph, postgres, count) {
  for (const [name, userId, rows] of [
    ['check, all', undefined, count],
    [`check, one user's`, ONE_USER, Math.min(count, OF_ONE_USER)],
  ]) {
    const time = median(await repeated(() => consistent(sync, userId)));
    // Both sides are asked at the same time.
    const sides = [await postgres.states(userId), await graph.digests(userId)];
    row(name, time, rows, Math.max(...sides), `psql ${ms(sides[0])}, ${graph.kind} ${ms(sides[1])}`);
  }
}

async function consistent(sync, userId) {
  const found = await sync.checkConsistency({ userId });
  if (found.length > 0) throw new Error(`${found.length} differences where there should be none`);
}

async function measureDelta(sync, postgres) {
  const samples = [];
  for (let n = 0; n < SAMPLES; n += 1) {
    await changeMemories(postgres.query, OWED);
    samples.push(await timed(() => sync.deltaSync()));
  }
  row(`deltaSync of ${OWED}`, median(samples), OWED);
}

async function measureRepair(sync, graph, postgres) {
  const samples = [];
  const ids = await someIds(postgres.query, MISSING);
  for (let n = 0; n < SAMPLES; n += 1) {
    await graph.lose(ids);
    const found = await sync.checkConsistency();
    if (found.length !== MISSING) throw new Error(`${found.length} differences instead of ${MISSING}`);
    samples.push(await timed(() => sync.repairInconsistencies(found)));
  }
  const floor = await graph.create(ids, postgres.query);
  row(`repair of ${MISSING}`, median(samples), MISSING, floor, 'one plain statement');
}

async function withLayer(settings, work) {
  const layer = createMemoryLayer(settings);
  try {
    await work(layer);
  } finally {
    await layer.close();
  }
}

function row(name, time, count, floor, what) {
  const rate = `${Math.round((count / time) * 1000)}/s`;
  const beside =
    floor === undefined ? '' : `   floor ${ms(floor)} (${what}), ratio ${(time / floor).toFixed(2)}`;
  print(`  ${name.padEnd(20)} ${ms(time).padStart(12)} ${rate.padStart(12)}${beside}`);
}

const print = (line) => console.log(line);
const ms = (time) => `${time.toFixed(time < 100 ? 1 : 0)} ms`;
const seconds = (time) => `${(time / 1000).toFixed(1)} s`;
