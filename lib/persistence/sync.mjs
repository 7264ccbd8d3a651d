// Re-exports the CommonJS module: there is one state and one set of error classes.
import cjs from './sync.cjs';

export const { SyncService, syncService } = cjs;
