export {
  type FullSyncOptions,
  type RebuildOptions,
  type SyncInconsistency,
  type SyncOptions,
  type SyncResult,
  SyncService,
  type SyncStats,
  syncService,
} from '../../index.js';
