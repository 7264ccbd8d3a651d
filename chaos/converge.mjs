// After the faults: everything that is owed gets paid, and the package says what it thinks of the result.
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryLayer } from 'izzie-memory';

const LIMIT_MS = 600_000;

/**
 * Drains only. A full sync would also repair, and so hide, what went lost on its way.
 * @returns {Promise<{ seconds: number, pending: number | null, dead: number | null, state: string,
 *   differences: number | null, failure?: string }>} null: that far it did not come
 */
export async function converge(settings) {
  const started = performance.now();
  const outcome = { seconds: 0, pending: null, dead: null, state: 'unknown', differences: null };
  const layer = createMemoryLayer(settings);
  try {
    const { pending, dead } = await drained(layer.sync, started + LIMIT_MS);
    Object.assign(outcome, { pending, dead, seconds: (performance.now() - started) / 1000 });
    const verify = () => layer.sync.verify({ deep: true });
    const { state, differences } = await patiently(verify, performance.now() + LIMIT_MS);
    return Object.assign(outcome, { state, differences });
  } catch (error) {
    return { ...outcome, seconds: (performance.now() - started) / 1000, failure: String(error.stack) };
  } finally {
    await layer.close();
  }
}

async function drained(sync, deadline) {
  for (;;) {
    await patiently(() => sync.drain({ maxMs: 10_000 }), deadline);
    const stats = await patiently(() => sync.getStats(), deadline);
    if (stats.pending === 0 || performance.now() > deadline) return stats;
    await sleep(200); // a lease of somebody who was killed has to end first
  }
}

/** Servers that were started a moment ago are slow. What may be repeated is repeated. */
async function patiently(call, deadline) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!error.retryable || performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
