import { answer } from '@/lib/answer';
import { persistenceService } from '@/lib/persistence';
import { syncService } from '@/lib/persistence/sync';

/** How the stores are, and how far the graph is in step. */
export function GET(): Promise<Response> {
  return answer('Failed to get persistence status', async () => {
    const [health, sync] = await Promise.all([persistenceService.getHealth(), syncService.getStats()]);
    return { ...health, sync };
  });
}
