// Re-exports the CommonJS module: there is one state and one set of error classes.
import cjs from './index.cjs';

export const { MemoryService, memoryService } = cjs;
