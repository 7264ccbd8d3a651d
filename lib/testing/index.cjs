'use strict';

const { objectOf } = require('../checks.cjs');
const { checkConfig } = require('../config.cjs');
const { ASYNC_DISPOSE } = require('../layer.cjs');
const { giveBack, take } = require('./databases.cjs');
const { createLayer } = require('./layer.cjs');

const KEYS = ['embedder', 'extractor', 'persistence', 'limits', 'logger'];

/**
 * A layer with an empty store in memory, which no other layer sees.
 *
 * @param {unknown} [config]
 */
async function createTestLayer(config) {
  const checked = checkConfig(objectOf(config, KEYS, ''));
  const databaseUrl = await take();
  const layer = createLayer(databaseUrl, checked);
  /** @type {Promise<void> | undefined} */
  let closed;
  const close = () => {
    closed ??= layer.close().then(() => giveBack(databaseUrl));
    return closed;
  };
  return { ...layer, close, [ASYNC_DISPOSE]: close };
}

module.exports = { createTestLayer };
