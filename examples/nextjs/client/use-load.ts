'use client';

import { useCallback, useEffect, useState } from 'react';
import { ask, isAbort, type Json, messageOf } from '@/client/api';

export interface Loaded<T> {
  data: Json<T> | null;
  problem: string | null;
  isLoading: boolean;
  reload: () => void;
}

/** The answer of a route; asked for anew when the path changes. Without a path nothing is asked. */
export function useLoad<T>(path: string | null): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({
    data: null,
    problem: null,
    isLoading: true,
  });
  const [asked, setAsked] = useState(0);
  const reload = useCallback(() => setAsked((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies(asked): a reload asks the same path again.
  useEffect(() => {
    if (path === null) return setState({ data: null, problem: null, isLoading: false });
    const leaving = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    ask<T>(path, { signal: leaving.signal }).then(
      (data) => setState((before) => ({ data: same(before.data, data), problem: null, isLoading: false })),
      (error) => {
        if (!isAbort(error)) setState({ data: null, problem: messageOf(error), isLoading: false });
      },
    );
    return () => leaving.abort();
  }, [path, asked]);

  return { ...state, reload };
}

/** An answer that says what the last one did is the same object: nothing is drawn anew for it. */
function same<T>(before: T | null, now: T): T {
  return before !== null && JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
