// izzie-memory/testing in a CommonJS module.
import memory = require('izzie-memory');
import testing = require('izzie-memory/testing');

const layer: Promise<memory.MemoryLayer> = testing.createTestLayer({ extractor: 'none' });
export = { layer };
