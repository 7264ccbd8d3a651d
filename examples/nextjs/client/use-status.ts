'use client';

import type { HealthCheck, SyncStats } from 'izzie-memory';
import { useCallback, useEffect, useState } from 'react';
import { ask, isAbort, type Json, messageOf } from '@/client/api';

const PERIOD_MS = 2000;
/** Ten minutes of samples. */
const KEPT = 300;

/** What `GET /api/persistence/status` answers; `sync` is null while a store does not answer. */
export type Status = HealthCheck & { sync: SyncStats | null; timestamp: string };

/** One point of the charts. */
export interface Sample {
  at: number;
  percentage: number;
  backlog: number;
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
    const samples = sampleOf(status);
    setState((before) => ({
      status,
      samples: [...before.samples, ...samples].slice(-KEPT),
      problem: null,
    }));
  } catch (error) {
    if (!isAbort(error)) setState((before) => ({ ...before, problem: messageOf(error) }));
  }
}

/** Nothing while a store is away: a gap is honest, a zero is not. */
function sampleOf({ sync, timestamp }: Json<Status>): Sample[] {
  if (!sync) return [];
  const backlog = sync.pending + sync.embedding.pending + sync.extraction.pending;
  return [{ at: Date.parse(timestamp), percentage: sync.syncPercentage, backlog }];
}
