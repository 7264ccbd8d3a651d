import type { Progress, SyncCall } from 'izzie-memory';
import { failed } from '@/lib/server/handler';

const TYPE = 'application/x-ndjson';

/** What a line of the stream holds; the last one is no progress. */
export type StreamLine<Result> =
  | ({ type: 'progress' } & Progress)
  | ({ type: 'result' } & Result)
  | { type: 'error'; error: string; message: string };

export function wantsStream(request: Request): boolean {
  return request.headers.get('accept') === TYPE;
}

/** Runs work and tells of it line by line, each a JSON object. A reader who leaves aborts the work. */
export function progressStream(failure: string, work: (call: SyncCall) => Promise<object>): Response {
  const leaving = new AbortController();
  const stream = new ReadableStream<Uint8Array>({
    start: async (controller) => {
      const send = (line: StreamLine<object>) => {
        if (!leaving.signal.aborted)
          controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
      };
      const onProgress = (progress: Progress) => send({ type: 'progress', ...progress });
      try {
        send({ type: 'result', ...(await work({ onProgress, signal: leaving.signal })) });
      } catch (error) {
        if (!leaving.signal.aborted) send({ type: 'error', ...failed(failure, error) });
      }
      if (!leaving.signal.aborted) controller.close();
    },
    cancel: () => leaving.abort(),
  });
  // Proxies that gather answers would keep the lines back.
  return new Response(stream, {
    headers: { 'Content-Type': TYPE, 'Cache-Control': 'no-store, no-transform' },
  });
}
