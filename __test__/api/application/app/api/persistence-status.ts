// GET /api/persistence/status
import { persistenceService } from '../lib/persistence';
import { syncService } from '../lib/persistence/sync';
import { failed } from './answers';

export async function GET(): Promise<Response> {
  try {
    const health = await persistenceService.getHealth();
    const syncStats = await syncService.getStats();
    return Response.json({
      status: health.status,
      stores: health.stores,
      metrics: health.metrics,
      sync: {
        vectorStoreCount: syncStats.vectorStoreCount,
        graphStoreCount: syncStats.graphStoreCount,
        syncPercentage: syncStats.syncPercentage,
        lastSync: syncStats.lastSync,
      },
      timestamp: new Date().toISOString(),
    });
  } catch (error) {
    return failed('Failed to get persistence status', error);
  }
}
