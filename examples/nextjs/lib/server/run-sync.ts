import type { SyncCall } from 'izzie-memory';
import type { SyncOutcome } from '@/lib/persistence';
import { syncService } from '@/lib/persistence/sync';
import type { SyncRequest } from '@/lib/server/requests';

/** Does what the request asks for. All operations answer alike. */
export async function runSync(request: SyncRequest, call: SyncCall): Promise<SyncOutcome> {
  const { operation, userId, limit, dryRun, clearExisting } = request;
  if (operation === 'check' || dryRun) return syncService.fullSync({ ...call, userId, limit, dryRun: true });
  switch (operation) {
    case 'repair': {
      const found = await syncService.checkConsistency({ ...call, userId, limit });
      return syncService.repairInconsistencies(found, call);
    }
    case 'full':
      return syncService.fullSync({ ...call, userId, limit });
    case 'rebuild':
      return syncService.rebuildGraph({ ...call, userId, limit, clearExisting });
    case 'delta':
      return syncService.deltaSync({ ...call, userId });
  }
}
