'use client';

import type { Page, QueueItem } from 'izzie-memory';
import { useEffect, useState } from 'react';
import { type Json, messageOf, post } from '@/client/api';
import { useLoad } from '@/client/use-load';
import { Panel, Problem, Quiet } from '@/components/panel';
import styles from '@/components/queue-panel.module.css';

const QUEUE = '/api/persistence/queue';
const STATES = { pending: 'Pending', dead: 'Dead letters' };
type State = keyof typeof STATES;

/** null is not known. */
type Counts = Partial<Record<State, number | null>> | undefined;

interface Props {
  version: string;
  counts: Counts;
  onRetry: () => void;
}

/** What is owed, and what was given up, with a way to try it again. */
export function QueuePanel({ version, counts, onRetry }: Props) {
  const [state, setState] = useState<State>('pending');
  const [problem, setProblem] = useState<string | null>(null);
  const queue = useLoad<Page<QueueItem>>(`${QUEUE}?state=${state}`);

  // biome-ignore lint/correctness/useExhaustiveDependencies(version): what changed elsewhere is read again.
  useEffect(queue.reload, [version]);

  const retry = async (ids?: string[]) => {
    try {
      await post(QUEUE, { ids });
      setProblem(null);
      onRetry();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };

  return (
    <Panel title="Queue" aside={<StateChoice state={state} counts={counts} onChange={setState} />}>
      {(problem ?? queue.problem) && <Problem>{problem ?? queue.problem}</Problem>}
      {queue.data && <Items items={queue.data.items} state={state} onRetry={retry} />}
      {queue.data?.nextCursor && <Quiet>There are more.</Quiet>}
      {state === 'dead' && (queue.data?.items.length ?? 0) > 0 && (
        <button type="button" onClick={() => retry()}>
          Retry all
        </button>
      )}
    </Panel>
  );
}

interface ChoiceProps {
  state: State;
  counts: Counts;
  onChange: (state: State) => void;
}

function StateChoice({ state, counts, onChange }: ChoiceProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of buttons is no fieldset.
    <div role="group" aria-label="State" className={styles.states}>
      {(Object.keys(STATES) as State[]).map((choice) => (
        <button key={choice} type="button" aria-pressed={choice === state} onClick={() => onChange(choice)}>
          {STATES[choice]} {counts?.[choice]}
        </button>
      ))}
    </div>
  );
}

interface ItemsProps {
  items: Json<QueueItem>[];
  state: State;
  onRetry: (ids: string[]) => void;
}

function Items({ items, state, onRetry }: ItemsProps) {
  if (items.length === 0)
    return <Quiet>{state === 'dead' ? 'Nothing was given up.' : 'Nothing is owed.'}</Quiet>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reached by keyboard.
    <ul className={styles.items} aria-label={STATES[state]} tabIndex={0}>
      {items.map(({ memoryId, target, userId, attempts, lastError }) => (
        <li key={memoryId + target}>
          <div>
            <strong>{target}</strong> <code title={memoryId}>{memoryId.slice(0, 8)}</code> of {userId}
            {attempts > 0 && <span>, {attempts} attempts</span>}
            {lastError && <p>{lastError}</p>}
          </div>
          {state === 'dead' && (
            <button type="button" aria-label={`Retry ${memoryId}`} onClick={() => onRetry([memoryId])}>
              Retry
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
