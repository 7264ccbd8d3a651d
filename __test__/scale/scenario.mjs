// The way of the suite on either graph: fill, plant, find, repair, find nothing.
import assert from 'node:assert/strict';
import { insertMemories, storeRelated } from './data.mjs';
import { measuredSync } from './measured.mjs';
import { assertFound, chooseVictims, plantAll } from './plant.mjs';

const PLANTED = 37;

/**
 * @param {import('node:test').TestContext} t
 * @param {{ count: number, database: any, config: object, counts: Record<string, number>, graph: any }} setting
 */
export async function findAndRepair(t, { count, database, config, counts, graph }) {
  const sync = measuredSync(t, config);
  const started = performance.now();
  await insertMemories(database, count);
  const related = await storeRelated(
    { ...config, graphStore: 'none' },
    counts.relationshipRemoved + counts.relationshipEdited,
  );
  t.diagnostic(`${count} rows: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  assert.equal((await sync.rebuildGraph()).pending, 0);
  const victims = await chooseVictims(database, counts, related);
  assert.equal((await sync.drain()).dead, 0);
  assert.deepEqual(await sync.checkConsistency(), []);

  const expected = await plantAll(graph, victims);
  assert.equal(expected.length, PLANTED);
  const found = await sync.checkConsistency({ deep: true });
  assertFound(found, expected);

  const { repaired, failed, conflicts, pending } = await sync.repairInconsistencies(found);
  assert.deepEqual(
    { repaired, failed, conflicts, pending },
    { repaired: PLANTED, failed: 0, conflicts: 0, pending: 0 },
  );
  const { state, differences, depth } = await sync.verify({ deep: true });
  assert.deepEqual({ state, differences, depth }, { state: 'consistent', differences: 0, depth: 'deep' });
}
