import type { SyncResult } from '@/lib/persistence';
import { syncService } from '@/lib/persistence/sync';
import type { SyncRequest } from '@/lib/sync-request';

/** Does what the request asks for. All operations answer alike. */
export async function runSync(request: SyncRequest): Promise<SyncResult> {
  const { operation, userId, limit, dryRun, clearExisting } = request;
  if (operation === 'check' || dryRun) return syncService.fullSync({ userId, limit, dryRun: true });
  switch (operation) {
    case 'repair':
      return syncService.repairInconsistencies(await syncService.checkConsistency({ userId, limit }));
    case 'full':
      return syncService.fullSync({ userId, limit });
    case 'rebuild':
      return syncService.rebuildGraph({ userId, limit, clearExisting });
  }
}
