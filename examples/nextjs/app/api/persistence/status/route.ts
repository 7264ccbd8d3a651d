import { persistenceService } from '@/lib/persistence';
import { syncService } from '@/lib/persistence/sync';
import { answer, guarded } from '@/lib/server/handler';

/** How the stores are, and how far the graph is in step: an answer too while a store is away. */
export const GET = guarded('Failed to get persistence status', async () => {
  const [health, sync] = await Promise.all([persistenceService.getHealth(), syncService.getStats()]);
  return answer({ ...health, sync });
});
