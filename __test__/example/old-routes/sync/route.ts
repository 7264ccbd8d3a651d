import { type NextRequest, NextResponse } from 'next/server';
import { z } from 'zod';
import { PersistenceError, type SyncInconsistency, type SyncResult } from '@/lib/persistence';
import { syncService } from '@/lib/persistence/sync';

const schema = z.object({
  operation: z.enum(['check', 'repair', 'full', 'rebuild']).default('check'),
  userId: z.string().optional(),
  limit: z.number().min(1).max(1000).default(100),
  dryRun: z.boolean().default(false),
});

export async function POST(request: NextRequest) {
  try {
    const { operation, userId, limit, dryRun } = schema.parse(await request.json());
    let inconsistencies: SyncInconsistency[] = [];
    let result: SyncResult | undefined;
    switch (operation) {
      case 'check':
        inconsistencies = await syncService.checkConsistency({ userId, limit });
        break;
      case 'repair':
        inconsistencies = await syncService.checkConsistency({ userId, limit });
        if (!dryRun) result = await syncService.repairInconsistencies(inconsistencies);
        break;
      case 'full':
        result = await syncService.fullSync({ userId, limit, dryRun });
        break;
      case 'rebuild':
        result = await syncService.rebuildGraph({ userId, limit });
        break;
    }
    return NextResponse.json({ operation, found: inconsistencies.length, repaired: result?.repaired ?? 0 });
  } catch (error) {
    if (error instanceof z.ZodError) return NextResponse.json({ error: error.issues }, { status: 400 });
    if (error instanceof PersistenceError)
      return NextResponse.json({ error: error.code, message: error.message }, { status: 500 });
    throw error;
  }
}
