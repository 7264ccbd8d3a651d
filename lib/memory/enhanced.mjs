// Re-exports the CommonJS module: there is one state and one set of error classes.
import cjs from './enhanced.cjs';

export const { EnhancedMemoryService, enhancedMemoryService } = cjs;
