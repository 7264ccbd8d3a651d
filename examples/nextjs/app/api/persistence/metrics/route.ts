import { metrics } from 'izzie-memory';
import { guarded } from '@/lib/server/handler';

/** For Prometheus, which sends the token as a bearer. */
export const GET = guarded('Failed to get the metrics', async () => {
  return new Response(await metrics(), {
    headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
  });
});
