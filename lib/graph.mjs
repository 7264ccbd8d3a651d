// Re-exports the CommonJS module: there is one state and one set of error classes.
import cjs from './graph.cjs';

export const { GraphService, graphService } = cjs;
