'use strict';

const { DEFAULT_PERSISTENCE_CONFIG } = require('./constants.cjs');
const { PersistenceError, VectorStoreError, GraphStoreError, SyncError } = require('./errors.cjs');
const { createMemoryLayer } = require('./layer.cjs');
const { GraphService, graphService } = require('./services/graph.cjs');
const { EnhancedMemoryService, enhancedMemoryService } = require('./services/memory.cjs');
const { MemoryService, memoryService } = require('./services/older-memory.cjs');
const { PersistenceService, persistenceService } = require('./services/persistence.cjs');
const { SyncService, syncService } = require('./services/sync.cjs');
const { configure, metrics, shutdown } = require('./state.cjs');

module.exports = {
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
};
