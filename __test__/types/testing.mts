// izzie-memory/testing in an ES module.
import type { MemoryLayer } from 'izzie-memory';
import { createTestLayer, type TestLayerConfig } from 'izzie-memory/testing';

const config: TestLayerConfig = { embedder: 'none', persistence: { retryAttempts: 1 } };
await using layer = await createTestLayer(config);
export const same: MemoryLayer = layer;
export const other: Promise<MemoryLayer> = createTestLayer();
// @ts-expect-error a test layer has a store of its own
createTestLayer({ databaseUrl: 'postgres://127.0.0.1/x' });
// @ts-expect-error and a graph of its own
createTestLayer({ neo4j: { uri: 'bolt://127.0.0.1' } });
