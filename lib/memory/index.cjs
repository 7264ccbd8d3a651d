'use strict';

const { MemoryService, memoryService } = require('../services/older-memory.cjs');

module.exports = { MemoryService, memoryService };
