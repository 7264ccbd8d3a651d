// The four routes of /api/memory: store, retrieve, search and test.
import { MemoryService, memoryService } from '../lib/memory';
import { badRequest, failed, optional, textOf } from './answers';

type Body = Record<string, unknown>;

async function answered(
  what: string,
  request: Request,
  work: (body: Body) => Promise<object>,
): Promise<Response> {
  try {
    return Response.json({ success: true, ...(await work(await request.json())) });
  } catch (error) {
    return error instanceof TypeError ? badRequest(error.message) : failed(what, error);
  }
}

export function store(request: Request): Promise<Response> {
  return answered('Failed to store memory', request, async (body) => {
    const entry = {
      userId: textOf(body, 'userId'),
      content: textOf(body, 'content'),
      metadata: optional<Record<string, unknown>>(body, 'metadata', 'object') ?? {},
    };
    const memory = await memoryService.store(entry, {
      conversationId: optional(body, 'conversationId', 'string'),
      importance: optional(body, 'importance', 'number'),
      summary: optional(body, 'summary', 'string'),
    });
    return {
      memory: { id: memory.id, userId: memory.userId, content: memory.content, createdAt: memory.createdAt },
    };
  });
}

export function retrieve(request: Request): Promise<Response> {
  return answered('Failed to retrieve memories', request, async (body) => {
    const memories = await memoryService.retrieve(textOf(body, 'userId'), textOf(body, 'query'), {
      limit: optional(body, 'limit', 'number'),
      threshold: optional(body, 'threshold', 'number'),
      conversationId: optional(body, 'conversationId', 'string'),
      minImportance: optional(body, 'minImportance', 'number'),
    });
    return { count: memories.length, memories };
  });
}

export function search(request: Request): Promise<Response> {
  return answered('Failed to search memories', request, async (body) => {
    const { memories, graphResults, combined, metadata } = await memoryService.hybridSearch(
      textOf(body, 'userId'),
      textOf(body, 'query'),
      {
        limit: optional(body, 'limit', 'number'),
        threshold: optional(body, 'threshold', 'number'),
        includeGraph: optional(body, 'includeGraph', 'boolean'),
      },
    );
    return {
      results: { memories, graphResults, combined },
      counts: {
        vector: metadata.vectorResults,
        graph: metadata.graphResults,
        combined: metadata.combinedResults,
      },
    };
  });
}

/** Walks the whole service with one memory of its own. */
export async function test(): Promise<Response> {
  try {
    const service = new MemoryService({
      enableGraph: true,
      enableVectorPersistence: true,
      llmModel: 'any/model',
    });
    const userId = 'test-user';
    const stored = await service.store({ userId, content: 'A walk of the memory service', metadata: {} });
    const read = await service.getById(stored.id);
    const all = await service.getAll(userId, { limit: 5000 });
    const found = await service.retrieve(userId, 'walk', { limit: 5, threshold: 0 });
    const stats = await service.getStats(userId);
    await service.delete(stored.id);
    const deleted = (await service.getById(stored.id)) === null;
    await service.delete(stored.id, true);
    const steps = {
      read: read?.id === stored.id,
      listed: all.some(({ id }) => id === stored.id),
      found: found.some(({ id }) => id === stored.id),
      counted: stats.total > 0,
      deleted,
    };
    return Response.json({ success: Object.values(steps).every(Boolean), steps });
  } catch (error) {
    return failed('Memory test failed', error);
  }
}
