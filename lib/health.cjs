'use strict';

const { healthCheck } = require('./decode.cjs');

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
function notStarted({ reason, message }) {
  const status = () => ({ available: false, healthy: false, lastCheck: new Date(), error: message });
  return {
    status: 'unhealthy',
    stores: { vectorStore: status(), graphStore: status() },
    metrics: { totalMemories: 0, vectorStoreCount: 0, graphStoreCount: 0, syncPercentage: 0 },
    reasons: [{ code: reason ?? 'INTERNAL', message }],
  };
}

module.exports = { getHealth };
