import './runtime.cjs';

// The names alone: without them a linker complains of the import before the sentence is told.
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
} = {};
