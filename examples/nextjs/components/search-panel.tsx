'use client';

import type { MemoryEntry } from 'izzie-memory';
import { type FormEvent, useState } from 'react';
import type { Json } from '@/client/api';
import { useLoad } from '@/client/use-load';
import { Panel, Problem, Quiet } from '@/components/panel';
import { ScoreBar } from '@/components/score-bar';
import styles from '@/components/search-panel.module.css';

const MODES = { hybrid: 'Words and meaning', text: 'Words', vector: 'Meaning' };

/** Finds the user's memories and shows what made each rank where it does. */
export function SearchPanel({ userId }: { userId: string }) {
  const [query, setQuery] = useState<string | null>(null);
  const found = useLoad<{ memories: MemoryEntry[] }>(query);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const { q, mode } = Object.fromEntries(new FormData(event.currentTarget));
    const next = `/api/memories?${new URLSearchParams({ userId, q: String(q), mode: String(mode), limit: '6' })}`;
    if (next === query) found.reload();
    else setQuery(next);
  };
  return (
    <Panel title="Search" className={styles.panel}>
      {/* biome-ignore lint/a11y/useSemanticElements: React does not type <search> yet. */}
      <form role="search" aria-label="Memories" className={styles.form} onSubmit={submit}>
        <input type="search" name="q" aria-label="Query" required placeholder="Whom did I have lunch with?" />
        <select name="mode" aria-label="Mode">
          {Object.entries(MODES).map(([mode, label]) => (
            <option key={mode} value={mode}>
              {label}
            </option>
          ))}
        </select>
        <button type="submit" className="primary">
          Search
        </button>
      </form>
      {found.problem && <Problem>{found.problem}</Problem>}
      {found.data ? (
        <Results memories={found.data.memories} />
      ) : (
        !query && <Quiet>Ask {userId}’s memories.</Quiet>
      )}
    </Panel>
  );
}

function Results({ memories }: { memories: Json<MemoryEntry>[] }) {
  if (memories.length === 0) return <Quiet>Nothing was found.</Quiet>;
  const best = Math.max(...memories.map(({ score }) => score ?? 0));
  return (
    <ol className={styles.results} aria-label="Results">
      {memories.map((memory) => (
        <li key={memory.id}>
          <p className={styles.content} title={memory.content}>
            {memory.content}
          </p>
          <p className={styles.about}>
            <time dateTime={memory.createdAt}>{memory.createdAt.slice(0, 10)}</time>
            {memory.entities.map(({ type, value }) => (
              <span key={type + value} className={styles.entity}>
                {value}
              </span>
            ))}
          </p>
          {memory.explain && <ScoreBar score={memory.score ?? 0} best={best} parts={memory.explain} />}
        </li>
      ))}
    </ol>
  );
}
