import type { IzzieMemoryConfig, MemoryLayer } from '../../index.js';

/** What a test may set. Stores are not among it, and nothing is read from the environment. */
export type TestLayerConfig = Pick<
  IzzieMemoryConfig,
  'embedder' | 'extractor' | 'persistence' | 'limits' | 'logger'
>;

/**
 * A layer of its own with an empty store in memory, for a test. It shares nothing with any other layer, those that are
 * open at the same time included. Close it, or declare it with `await using`: its store is then emptied and used again.
 *
 * The first call of a worker (process or thread) starts an embedded Postgres, which takes a second or two; later ones
 * get one that is ready, some milliseconds. One is kept ready in the background, so that more may be open at once;
 * each takes some 250 MB of memory, until the worker ends.
 */
export function createTestLayer(config?: TestLayerConfig): Promise<MemoryLayer>;
