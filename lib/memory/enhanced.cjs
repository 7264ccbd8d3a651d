'use strict';

const { EnhancedMemoryService, enhancedMemoryService } = require('../services/memory.cjs');

module.exports = { EnhancedMemoryService, enhancedMemoryService };
