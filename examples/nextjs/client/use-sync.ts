'use client';

import type { Progress, SyncOutcome } from 'izzie-memory';
import { useRef, useState } from 'react';
import { isAbort, type Json, lines, messageOf } from '@/client/api';
import type { SyncRequest } from '@/lib/server/requests';

export interface SyncRun {
  operation: SyncRequest['operation'];
  progress: Progress | null;
  result: Json<SyncOutcome> | null;
  problem: string | null;
  isRunning: boolean;
  wasStopped: boolean;
}

interface Answer {
  operation: SyncRequest['operation'];
  result: Json<SyncOutcome>;
}

const START = { progress: null, result: null, problem: null, isRunning: true, wasStopped: false };

/** Runs sync operations, one at a time, and tells how far they are. */
export function useSync(onEnd: () => void) {
  const [run, setRun] = useState<SyncRun | null>(null);
  const abort = useRef<AbortController | null>(null);
  const change = (part: Partial<SyncRun>) => setRun((before) => before && { ...before, ...part });

  const start = async (request: Partial<SyncRequest> & Pick<SyncRequest, 'operation'>) => {
    abort.current = new AbortController();
    setRun({ ...START, operation: request.operation });
    try {
      await follow(request, abort.current.signal, change);
    } catch (error) {
      change(isAbort(error) ? { wasStopped: true } : { problem: messageOf(error) });
    } finally {
      change({ isRunning: false });
      onEnd();
    }
  };

  return { run, start, stop: () => abort.current?.abort() };
}

async function follow(request: object, signal: AbortSignal, change: (part: Partial<SyncRun>) => void) {
  const init = { method: 'POST', body: JSON.stringify(request), signal };
  for await (const line of lines<Answer>('/api/persistence/sync', init)) {
    if (line.type === 'progress') change({ progress: line });
    else if (line.type === 'result') change({ result: line.result });
    else throw new Error(line.message);
  }
}
