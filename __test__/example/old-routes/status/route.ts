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
      vectorStore: health.stores.vectorStore.healthy,
      graphStore: health.stores.graphStore.healthy,
      totalMemories: health.metrics.totalMemories,
      syncPercentage: stats.syncPercentage,
      lastSync: stats.lastSync?.toISOString() ?? null,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : 'Unknown error';
    return NextResponse.json({ error: 'Failed to get persistence status', message }, { status: 500 });
  }
}
