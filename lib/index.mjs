// Re-exports the CommonJS module: there is one state and one set of error classes.
import cjs from './index.cjs';

export const {
  enhancedMemoryService,
  EnhancedMemoryService,
  memoryService,
  MemoryService,
  persistenceService,
  PersistenceService,
  syncService,
  SyncService,
  graphService,
  GraphService,
  configure,
  createMemoryLayer,
  metrics,
  shutdown,
  DEFAULT_PERSISTENCE_CONFIG,
  PersistenceError,
  VectorStoreError,
  GraphStoreError,
  SyncError,
} = cjs;
