'use strict';

const { PersistenceService, persistenceService } = require('../services/persistence.cjs');
const types = require('./types.cjs');

module.exports = { PersistenceService, persistenceService, ...types };
