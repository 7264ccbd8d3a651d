'use client';

import type { HealthReport, SyncStats } from 'izzie-memory';
import { useCallback, useEffect, useState } from 'react';
import { ask, isAbort, type Json, messageOf } from '@/client/api';

const PERIOD_MS = 2000;
/** Ten minutes of samples. */
const KEPT = 300;

/** What `GET /api/persistence/status` answers; what a store that is away would have said is null. */
export type Status = HealthReport & { sync: SyncStats; timestamp: string };

/** One point of the charts; null is not known. */
export interface Sample {
  at: number;
  percentage: number | null;
  backlog: number | null;
}

export interface Watch {
  status: Json<Status> | null;
  samples: readonly Sample[];
  problem: string | null;
  /** Asks at once. */
  refresh: () => void;
}

/** Asks for the status every two seconds, while somebody can see the page. */
export function useStatus(): Watch {
  const [state, setState] = useState<Omit<Watch, 'refresh'>>({ status: null, samples: [], problem: null });
  const [asked, setAsked] = useState(0);
  const refresh = useCallback(() => setAsked((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies(asked): each refresh starts the rounds anew.
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const round = async () => {
      if (!document.hidden) await update(leaving.signal, setState);
      if (!leaving.signal.aborted) timer = setTimeout(round, PERIOD_MS);
    };
    round();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [asked]);

  return { ...state, refresh };
}

type Update = (change: (before: Omit<Watch, 'refresh'>) => Omit<Watch, 'refresh'>) => void;

async function update(signal: AbortSignal, setState: Update) {
  try {
    const status = await ask<Status>('/api/persistence/status', { signal });
    setState((before) => ({
      status,
      samples: [...before.samples, sampleOf(status)].slice(-KEPT),
      problem: null,
    }));
  } catch (error) {
    if (!isAbort(error)) setState((before) => ({ ...before, problem: messageOf(error) }));
  }
}

/** What is not known stays unknown: a gap is honest, a zero or the last value is not. */
function sampleOf({ sync, timestamp }: Json<Status>): Sample {
  const parts = [sync.pending, sync.embedding?.pending ?? null, sync.extraction?.pending ?? null];
  const backlog = parts.reduce((sum, part) => (sum === null || part === null ? null : sum + part), 0);
  return { at: Date.parse(timestamp), percentage: sync.syncPercentage, backlog };
}
