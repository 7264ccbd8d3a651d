import { syncService } from '@/lib/persistence/sync';
import { drainLater } from '@/lib/server/drain-later';
import { answer, guarded } from '@/lib/server/handler';
import { queueQuery, retryRequest } from '@/lib/server/requests';

/** What is owed to the graph and to the models, a page at a time. */
export const GET = guarded('Failed to get the queue', async (request) => {
  return answer(await syncService.getQueue(queueQuery.parse(request.nextUrl.searchParams)));
});

/** Tries again what was put aside. */
export const POST = guarded('Failed to retry', async (request) => {
  const { ids } = retryRequest.parse(await request.text());
  const { revived } = await syncService.retryNow(ids);
  drainLater();
  return answer({ revived });
});
