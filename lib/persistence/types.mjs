// Re-exports the CommonJS module: there is one state and one set of error classes.
import cjs from './types.cjs';

export const { DEFAULT_PERSISTENCE_CONFIG, PersistenceError, VectorStoreError, GraphStoreError, SyncError } =
  cjs;
