import { PersistenceError, persistenceService } from '@/lib/persistence';
import { syncService } from '@/lib/persistence/sync';
import { answer, guarded } from '@/lib/server/handler';

/** How the stores are, and how far the graph is in step. */
export const GET = guarded('Failed to get persistence status', async () => {
  const [health, sync] = await Promise.all([
    persistenceService.getHealth(),
    syncService.getStats().catch(nothingWhileAway),
  ]);
  return answer({ ...health, sync });
});

/** Who asks how the stores are is told so when one of them does not answer. */
function nothingWhileAway(error: unknown): null {
  if (error instanceof PersistenceError && error.retryable) return null;
  throw error;
}
