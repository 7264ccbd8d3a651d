// Every name, from every subpath, in an ES module.

import type {
  Call,
  DeleteOptions,
  EmbedderCallback,
  Entity,
  EntityType,
  ErrorReason,
  Extraction,
  ExtractionInput,
  ExtractorCallback,
  FullSyncOptions,
  GetAllOptions,
  HealthCheck,
  HealthReason,
  InlineRelationship,
  InlineRelationshipType,
  IzzieMemoryConfig,
  Limits,
  Logger,
  MemoryDeletionRequest,
  MemoryEntry,
  MemoryLayer,
  MemoryMetadata,
  MemoryRow,
  MemoryStats,
  MemoryStorageRequest,
  MemoryUpdateRequest,
  MemoryUpdates,
  Neo4jConfig,
  NewMemory,
  OpenAIEmbedder,
  PersistenceConfig,
  PersistenceErrorOptions,
  PersistenceResult,
  PoolConfig,
  RebuildOptions,
  RetrieveMode,
  RetrieveOptions,
  SearchOptions,
  StorageStatus,
  StoreOptions,
  StoreStatus,
  SyncInconsistency,
  SyncOptions,
  SyncResult,
  SyncStats,
} from 'izzie-memory';
import * as root from 'izzie-memory';
import type * as enhancedTypes from 'izzie-memory/memory/enhanced';
import type * as enhanced from 'izzie-memory/memory/enhanced';
import type * as persistence from 'izzie-memory/persistence';
import type * as sync from 'izzie-memory/persistence/sync';
import type * as types from 'izzie-memory/persistence/types';

/** Fails to compile unless both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;

const values: [
  root.EnhancedMemoryService,
  root.PersistenceService,
  root.SyncService,
  Readonly<PersistenceConfig>,
] = [root.enhancedMemoryService, root.persistenceService, root.syncService, root.DEFAULT_PERSISTENCE_CONFIG];

// The subpaths give the very classes and objects of the root.
const same: [
  Same<typeof enhanced.EnhancedMemoryService, typeof root.EnhancedMemoryService>,
  Same<typeof persistence.PersistenceService, typeof root.PersistenceService>,
  Same<typeof persistence.persistenceService, typeof root.persistenceService>,
  Same<typeof persistence.DEFAULT_PERSISTENCE_CONFIG, typeof root.DEFAULT_PERSISTENCE_CONFIG>,
  Same<typeof sync.SyncService, typeof root.SyncService>,
  Same<typeof types.PersistenceError, typeof root.PersistenceError>,
  Same<typeof types.VectorStoreError, typeof root.VectorStoreError>,
  Same<typeof types.GraphStoreError, typeof root.GraphStoreError>,
  Same<typeof types.SyncError, typeof root.SyncError>,
  Same<typeof types.DEFAULT_PERSISTENCE_CONFIG, typeof root.DEFAULT_PERSISTENCE_CONFIG>,
] = [true, true, true, true, true, true, true, true, true, true];

// The type names of the TypeScript layer, where its callers import them.
const old: [
  Same<types.PersistenceResult<string>, PersistenceResult<string>>,
  Same<types.MemoryStorageRequest, MemoryStorageRequest>,
  Same<types.MemoryUpdateRequest, MemoryUpdateRequest>,
  Same<types.MemoryDeletionRequest, MemoryDeletionRequest>,
  Same<types.StorageStatus, StorageStatus>,
  Same<types.SyncInconsistency, SyncInconsistency>,
  Same<types.SyncResult, SyncResult>,
  Same<types.HealthCheck, HealthCheck>,
  Same<types.PersistenceConfig, PersistenceConfig>,
  Same<persistence.PersistenceResult, PersistenceResult>,
  Same<persistence.MemoryStorageRequest, MemoryStorageRequest>,
  Same<persistence.MemoryUpdateRequest, MemoryUpdateRequest>,
  Same<persistence.MemoryDeletionRequest, MemoryDeletionRequest>,
  Same<persistence.StorageStatus, StorageStatus>,
  Same<persistence.SyncInconsistency, SyncInconsistency>,
  Same<persistence.SyncResult, SyncResult>,
  Same<persistence.HealthCheck, HealthCheck>,
  Same<persistence.PersistenceConfig, PersistenceConfig>,
  Same<persistence.Entity, Entity>,
  Same<types.Entity, Entity>,
  Same<types.EntityType, EntityType>,
  Same<types.InlineRelationship, InlineRelationship>,
  Same<sync.SyncInconsistency, SyncInconsistency>,
  Same<sync.SyncResult, SyncResult>,
  Same<enhancedTypes.MemoryEntry, MemoryEntry>,
  Same<enhancedTypes.StoreOptions, StoreOptions>,
  Same<enhancedTypes.SearchOptions, RetrieveOptions>,
] = Array(27).fill(true) as never;

// The new ones exist: an unknown name would not compile.
export type New = [
  Call,
  DeleteOptions,
  EmbedderCallback,
  ErrorReason,
  Extraction,
  ExtractionInput,
  ExtractorCallback,
  FullSyncOptions,
  GetAllOptions,
  HealthReason,
  InlineRelationshipType,
  IzzieMemoryConfig,
  Limits,
  Logger,
  MemoryLayer,
  MemoryMetadata,
  MemoryRow,
  MemoryStats,
  MemoryUpdates,
  Neo4jConfig,
  NewMemory,
  OpenAIEmbedder,
  PersistenceErrorOptions,
  PoolConfig,
  RebuildOptions,
  RetrieveMode,
  SearchOptions,
  StoreStatus,
  SyncOptions,
  SyncStats,
];

export { old, same, values };
