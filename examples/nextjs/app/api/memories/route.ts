import { enhancedMemoryService } from '@/lib/memory/enhanced';
import { drainLater } from '@/lib/server/drain-later';
import { answer, guarded } from '@/lib/server/handler';
import { memoryRequest, searchQuery } from '@/lib/server/requests';

/** Stores a memory. */
export const POST = guarded('Failed to store the memory', async (request) => {
  const memory = await enhancedMemoryService.store(memoryRequest.parse(await request.text()));
  drainLater();
  return answer({ memory });
});

/** Finds memories, and says what made them rank where they do. */
export const GET = guarded('Failed to search', async (request) => {
  const { userId, q, ...options } = searchQuery.parse(request.nextUrl.searchParams);
  const call = { ...options, explain: true, signal: request.signal };
  return answer({ memories: await enhancedMemoryService.retrieve(userId, q, call) });
});
