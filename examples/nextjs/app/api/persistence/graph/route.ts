import { entityGraph } from '@/lib/server/entity-graph';
import { answer, guarded } from '@/lib/server/handler';
import { graphQuery } from '@/lib/server/requests';

/** The user's most mentioned entities and what joins them. */
export const GET = guarded('Failed to read the graph', async (request) => {
  const { userId, limit } = graphQuery.parse(request.nextUrl.searchParams);
  return answer(await entityGraph(userId, limit, request.signal));
});
