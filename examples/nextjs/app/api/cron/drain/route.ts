import { syncService } from '@/lib/persistence/sync';
import { bearerOf, isSecret } from '@/lib/server/access';
import { answer, handler, unauthorized } from '@/lib/server/handler';

const DRAIN_MS = 25_000;

/** Pays what is owed. Vercel calls it as vercel.json says, with `CRON_SECRET` as the bearer token. */
export const GET = handler('Failed to drain', async ({ headers, signal }) => {
  if (!isSecret(bearerOf(headers), process.env.CRON_SECRET))
    return unauthorized('Send CRON_SECRET as a bearer token.');
  return answer({ status: 'success', result: await syncService.drain({ maxMs: DRAIN_MS, signal }) });
});
