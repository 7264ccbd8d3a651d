// After the faults: everything that is owed gets paid, and the package says what it thinks of the result.
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryLayer } from 'izzie-memory';

const LIMIT_MS = 180_000;

/**
 * Drains only. A full sync would also repair, and so hide, what went lost on its way.
 * @returns {Promise<{ seconds: number, pending: number, dead: number, verdict: object }>}
 */
export async function converge(settings) {
  const started = performance.now();
  const layer = createMemoryLayer(settings);
  try {
    const { pending, dead } = await drained(layer.sync, started + LIMIT_MS);
    const seconds = (performance.now() - started) / 1000;
    const verdict = await patiently(() => layer.sync.verify({ deep: true }), started + LIMIT_MS);
    return { seconds, pending, dead, verdict };
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
