import { answer, badRequest } from '@/lib/answer';
import { syncService } from '@/lib/persistence/sync';
import { runSync } from '@/lib/run-sync';
import { syncRequest } from '@/lib/sync-request';

/** Compares the stores and, where asked to, repairs the graph. */
export async function POST(request: Request): Promise<Response> {
  const parsed = syncRequest.safeParse(await request.text());
  if (!parsed.success) return badRequest(parsed.error.issues);
  const { operation, dryRun } = parsed.data;
  return answer('Failed to perform sync operation', async () => {
    return { status: 'success', operation, dryRun, result: await runSync(parsed.data) };
  });
}

/** How far the graph is in step. */
export function GET(): Promise<Response> {
  return answer('Failed to get sync statistics', async () => {
    return { status: 'success', stats: await syncService.getStats() };
  });
}
