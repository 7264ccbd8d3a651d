'use strict';

const { DEFAULT_PERSISTENCE_CONFIG } = require('../constants.cjs');
const { PersistenceError, VectorStoreError, GraphStoreError, SyncError } = require('../errors.cjs');

module.exports = {
  DEFAULT_PERSISTENCE_CONFIG,
  PersistenceError,
  VectorStoreError,
  GraphStoreError,
  SyncError,
};
