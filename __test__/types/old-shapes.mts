// Code of the TypeScript layer makes and reads these shapes with what they had there: it compiles unchanged.
import type {
  HealthCheck,
  MemoryRow,
  PersistenceConfig,
  PersistenceResult,
  SyncInconsistency,
  SyncResult,
} from 'izzie-memory/persistence';
import { PersistenceService, persistenceService, VectorStoreError } from 'izzie-memory/persistence';
import { syncService } from 'izzie-memory/persistence/sync';
import type * as types from 'izzie-memory/persistence/types';

export const config: PersistenceConfig = {
  enableVectorStore: true,
  enableGraphStore: true,
  enableAutoSync: false,
  syncIntervalMs: undefined,
  rollbackOnPartialFailure: false,
  retryAttempts: 3,
  retryDelayMs: 1000,
};
export const service = new PersistenceService({ ...config, rollbackOnPartialFailure: true });

export const inconsistency: SyncInconsistency = {
  memoryId: 'x',
  issue: 'missing_in_graph',
  details: 'not there',
  detectedAt: new Date(),
};
export const result: SyncResult = {
  totalChecked: 1,
  inconsistencies: [inconsistency],
  repaired: 1,
  failed: 0,
  duration: 5,
};
const store = { available: true, healthy: true, lastCheck: new Date() };
export const health: HealthCheck = {
  status: 'healthy',
  stores: { vectorStore: store, graphStore: { ...store, error: 'away' } },
  lastSync: new Date(),
  metrics: { totalMemories: 1, vectorStoreCount: 1, graphStoreCount: 1, syncPercentage: 100 },
};
export const row: MemoryRow = {
  id: 'x',
  userId: 'ada',
  conversationId: null,
  content: 'c',
  summary: null,
  embedding: [0.1, 0.2],
  metadata: {},
  importance: 5,
  accessCount: 0,
  lastAccessedAt: null,
  isDeleted: false,
  createdAt: new Date(),
  updatedAt: new Date(),
};
export const stored: PersistenceResult<MemoryRow> = { success: true, data: row };

/** A route of the application: what it collects has the old types. */
export async function sync(userId?: string): Promise<types.SyncResult | undefined> {
  let found: SyncInconsistency[] = [];
  let done: SyncResult | undefined;
  found = await syncService.checkConsistency({ userId });
  done = await syncService.repairInconsistencies(found);
  done = await syncService.repairInconsistencies([inconsistency]);
  done = await syncService.fullSync({ userId, dryRun: true });
  return done;
}

export async function status(): Promise<object> {
  const now: HealthCheck = await persistenceService.getHealth();
  const stats = await syncService.getStats();
  return {
    status: now.status,
    metrics: now.metrics,
    sync: {
      vectorStoreCount: stats.vectorStoreCount,
      graphStoreCount: stats.graphStoreCount,
      syncPercentage: stats.syncPercentage,
      lastSync: stats.lastSync,
    },
  };
}

/** As the original documentation shows it. */
export async function storeOrTell(request: types.MemoryStorageRequest): Promise<string | undefined> {
  try {
    const { success, data } = await persistenceService.store(request);
    return success ? data?.id : undefined;
  } catch (error) {
    if (error instanceof VectorStoreError) return JSON.stringify(error.details);
    throw error;
  }
}
