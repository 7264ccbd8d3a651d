'use strict';

const { SyncService, syncService } = require('../services/sync.cjs');

module.exports = { SyncService, syncService };
