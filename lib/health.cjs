'use strict';

const { healthCheck, syncStats } = require('./decode.cjs');

/**
 * Never rejects: a layer that cannot even start is unhealthy, and says why.
 *
 * @param {() => Promise<any>} ask
 */
async function getHealth(ask) {
  try {
    return healthCheck(await ask());
  } catch (error) {
    return notStarted(/** @type {any} */ (error));
  }
}

/** @param {{ reason: string, message: string }} error */
function notStarted(error) {
  const status = () => ({ available: false, healthy: false, lastCheck: new Date(), error: error.message });
  return {
    status: 'unhealthy',
    stores: { vectorStore: status(), graphStore: status() },
    metrics: { totalMemories: null, vectorStoreCount: null, graphStoreCount: null, syncPercentage: null },
    reasons: [reasonOf(error)],
  };
}

/**
 * An answer too when a store keeps the layer from starting: everything is unknown then. What waiting does not mend, such
 * as a configuration that is wrong, rejects.
 *
 * @param {() => Promise<any>} ask
 */
async function getStats(ask) {
  try {
    return syncStats(await ask());
  } catch (error) {
    const failure = /** @type {any} */ (error);
    if (!failure.retryable) throw error;
    return notCounted(failure);
  }
}

/** @param {{ reason: string, message: string }} error */
function notCounted(error) {
  return {
    vectorStoreCount: null,
    graphStoreCount: null,
    syncPercentage: null,
    pending: null,
    dead: null,
    conflicts: null,
    embedding: null,
    extraction: null,
    unavailable: { vectorStore: reasonOf(error), graphStore: reasonOf(error) },
  };
}

/** @param {{ reason: string, message: string }} error */
function reasonOf({ reason, message }) {
  return { code: reason ?? 'INTERNAL', message };
}

module.exports = { getHealth, getStats };
