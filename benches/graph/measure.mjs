// Every method on one number of memories, each beside its floor.
import { createMemoryLayer } from 'izzie-memory';
import { timed } from '../sync/time.mjs';
import { ENTITIES, insertMemories, stateRelationships, USER } from './data.mjs';

const WARM_UP = 10;
const SAMPLES = 50;

/**
 * @param {{ floor: import('./neo4j.mjs').Neo4jFloor | import('./postgres.mjs').PostgresFloor,
 *   postgres: import('./postgres.mjs').PostgresFloor, databaseUrl: string, count: number }} setting
 */
export async function measure({ floor, postgres, databaseUrl, count }) {
  const settings = { databaseUrl, ...floor.settings, embedder: 'none', extractor: 'none' };
  await floor.wipe();
  await withLayer({ ...settings, graphStore: 'none' }, (layer) => layer.migrate());
  await insertMemories(postgres.query, count);
  await withLayer(settings, async (layer) => {
    await rebuilt(layer.sync);
    await stateRelationships(layer.memory, await layer.graph.getTopEntities(USER, { limit: 200 }), count);
    await layer.sync.deltaSync();
    await postgres.query('vacuum analyze');
    await measureMethods(layer.graph, floor, count);
  });
}

/** A Neo4j that has just started plans and compiles for seconds, and may not answer in time at first. */
async function rebuilt(sync) {
  for (;;) {
    try {
      const { pending } = await sync.rebuildGraph();
      if (pending > 0) throw new Error(`the rebuild left ${pending} memories owed`);
      return;
    } catch (error) {
      if (!error.retryable) throw error;
    }
  }
}

async function measureMethods(graph, floor, count) {
  const entities = await graph.getTopEntities(USER, { limit: 1000 });
  const [hub, second] = entities;
  const [ordinary, other] = [entities.at(Math.floor(entities.length / 2)), entities.at(-1)];
  console.log(
    `\n${count} memories with ${ENTITIES} entities, graph in ${floor.kind}: hub in ${hub.frequency} memories, ` +
      `ordinary entity in ${ordinary.frequency}; p50 / p95 in ms, in brackets the bare driver`,
  );
  const row = async (name, call, question, entity) =>
    print(name, await quantiles(call), question && (await quantiles(await floor.asking(question, entity))));
  const related = (entity) => () => graph.getRelatedEntities(USER, reference(entity));
  const memories = (entity) => () => graph.getMemoriesForEntity(USER, reference(entity));
  const path = (from, to) => () => graph.findPath(USER, reference(from), reference(to), { maxDepth: 6 });
  await row('getEntity', () => graph.getEntity(USER, reference(hub)), 'entity', hub);
  await row('searchEntities, all names', () => graph.searchEntities(USER, 'name'), 'search', {
    name: 'name',
  });
  await row('searchEntities, one name', () => graph.searchEntities(USER, other.name), 'search', other);
  await row('getTopEntities', () => graph.getTopEntities(USER), 'top');
  await row('getRelatedEntities, hub', related(hub), 'related', hub);
  await row('getRelatedEntities, ordinary', related(ordinary), 'related', ordinary);
  await row('getMemoriesForEntity, hub', memories(hub), 'memories', hub);
  await row('findPath, ordinary to rare', path(ordinary, other));
  await row('findPath, hub to hub', path(hub, second));
  await row('getEntityStats', () => graph.getEntityStats(USER), 'stats');
}

const reference = ({ type, name }) => ({ type, value: name });

async function quantiles(call) {
  const times = [];
  for (let n = 0; n < WARM_UP + SAMPLES; n += 1) {
    const time = await timed(call);
    if (n >= WARM_UP) times.push(time);
  }
  times.sort((a, b) => a - b);
  return [0.5, 0.95].map((share) => times[Math.ceil(share * times.length) - 1]);
}

function print(name, ours, bare) {
  const both = (pair) => pair.map((time) => time.toFixed(time < 100 ? 1 : 0)).join(' / ');
  console.log(`  ${name.padEnd(30)} ${both(ours).padStart(14)}${bare ? `   (${both(bare)})` : ''}`);
}

async function withLayer(settings, work) {
  const layer = createMemoryLayer(settings);
  try {
    await work(layer);
  } finally {
    await layer.close();
  }
}
