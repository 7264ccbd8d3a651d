import { syncService } from '@/lib/persistence/sync';
import { drainLater } from '@/lib/server/drain-later';
import { answer, guarded } from '@/lib/server/handler';
import { progressStream, wantsStream } from '@/lib/server/progress-stream';
import { syncRequest } from '@/lib/server/requests';
import { runSync } from '@/lib/server/run-sync';

const FAILURE = 'Failed to perform sync operation';

/** Compares the stores and, where asked to, repairs the graph. With progress for those who accept lines of JSON. */
export const POST = guarded(FAILURE, async (request) => {
  const options = syncRequest.parse(await request.text());
  const { operation, dryRun } = options;
  if (operation !== 'check' && !dryRun) drainLater();
  if (wantsStream(request)) {
    return progressStream(FAILURE, async (call) => ({
      operation,
      dryRun,
      result: await runSync(options, call),
    }));
  }
  const result = await runSync(options, { signal: request.signal });
  return answer({ status: 'success', operation, dryRun, result });
});

/** How far the graph is in step. */
export const GET = guarded('Failed to get sync statistics', async () => {
  return answer({ status: 'success', stats: await syncService.getStats() });
});
