// Every subpath in a CommonJS module.
import root = require('izzie-memory');
import graph = require('izzie-memory/graph');
import memory = require('izzie-memory/memory');
import enhanced = require('izzie-memory/memory/enhanced');
import persistence = require('izzie-memory/persistence');
import sync = require('izzie-memory/persistence/sync');
import types = require('izzie-memory/persistence/types');

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;

const same: [
  Same<typeof enhanced.EnhancedMemoryService, typeof root.EnhancedMemoryService>,
  Same<typeof enhanced.enhancedMemoryService, root.EnhancedMemoryService>,
  Same<typeof persistence.PersistenceService, typeof root.PersistenceService>,
  Same<typeof persistence.PersistenceError, typeof root.PersistenceError>,
  Same<typeof sync.SyncService, typeof root.SyncService>,
  Same<typeof types.SyncError, typeof root.SyncError>,
  Same<types.PersistenceResult, root.PersistenceResult>,
  Same<types.MemoryStorageRequest, root.MemoryStorageRequest>,
  Same<types.MemoryUpdateRequest, root.MemoryUpdateRequest>,
  Same<types.MemoryDeletionRequest, root.MemoryDeletionRequest>,
  Same<types.StorageStatus, root.StorageStatus>,
  Same<types.SyncInconsistency, root.SyncInconsistency>,
  Same<types.SyncResult, root.SyncResult>,
  Same<types.HealthCheck, root.HealthCheck>,
  Same<types.PersistenceConfig, root.PersistenceConfig>,
  Same<persistence.Entity, root.Entity>,
  Same<sync.SyncResult, root.SyncResult>,
  Same<sync.Verdict, root.Verdict>,
  Same<sync.ConflictResolver, root.ConflictResolver>,
  Same<persistence.BatchEntry, root.BatchEntry>,
  Same<enhanced.UpdateCall, root.UpdateCall>,
  Same<enhanced.MemoryEntry, root.MemoryEntry>,
  Same<typeof graph.GraphService, typeof root.GraphService>,
  Same<graph.RelatedEntity, root.RelatedEntity>,
  Same<typeof memory.MemoryService, typeof root.MemoryService>,
  Same<memory.HybridSearchResult, root.HybridSearchResult>,
] = Array(26).fill(true) as never;

export = { same };
