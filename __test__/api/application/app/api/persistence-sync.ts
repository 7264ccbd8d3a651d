// GET and POST /api/persistence/sync
import { syncService } from '../lib/persistence/sync';
import type { SyncInconsistency, SyncResult } from '../lib/persistence/types';
import { badRequest, failed, optional } from './answers';

const OPERATIONS = ['check', 'repair', 'full', 'rebuild'];

export async function POST(request: Request): Promise<Response> {
  try {
    const body: Record<string, unknown> = await request.json();
    const operation = optional<string>(body, 'operation', 'string') ?? 'check';
    const userId = optional<string>(body, 'userId', 'string');
    const limit = optional<number>(body, 'limit', 'number') ?? 100;
    const dryRun = optional<boolean>(body, 'dryRun', 'boolean') ?? false;
    const clearExisting = optional<boolean>(body, 'clearExisting', 'boolean') ?? false;
    if (!OPERATIONS.includes(operation)) return badRequest('operation');
    let inconsistencies: SyncInconsistency[] = [];
    let result: SyncResult | null = null;
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
      default:
        result = await syncService.rebuildGraph({ userId, limit, clearExisting });
    }
    return Response.json({ status: 'success', operation, dryRun, inconsistencies, result });
  } catch (error) {
    if (error instanceof TypeError) return badRequest(error.message);
    return failed('Failed to perform sync operation', error);
  }
}

export async function GET(): Promise<Response> {
  try {
    return Response.json({ status: 'success', stats: await syncService.getStats() });
  } catch (error) {
    return failed('Failed to get sync statistics', error);
  }
}
