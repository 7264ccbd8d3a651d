import { after } from 'next/server';
import { syncService } from '@/lib/persistence/sync';

/** A function of a platform may not live longer. */
const DRAIN_MS = 5000;

/** Pays what is owed once the answer is on its way: where no worker runs, nobody else would before the next cron job. */
export function drainLater(): void {
  after(() => syncService.drain({ maxMs: DRAIN_MS }));
}
