import { connection, NextResponse } from 'next/server';
import { persistenceService } from '@/lib/persistence';
import { syncService } from '@/lib/persistence/sync';

export async function GET() {
  await connection();
  try {
    const health = await persistenceService.getHealth();
    const stats = await syncService.getStats();
    return NextResponse.json({
      status: health.status,
      stores: health.stores,
      metrics: health.metrics,
      sync: {
        vectorStoreCount: stats.vectorStoreCount,
        graphStoreCount: stats.graphStoreCount,
        syncPercentage: stats.syncPercentage,
        lastSync: stats.lastSync,
      },
      timestamp: new Date().toISOString(),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : 'Unknown error';
    return NextResponse.json({ error: 'Failed to get persistence status', message }, { status: 500 });
  }
}
