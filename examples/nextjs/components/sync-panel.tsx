'use client';

import { useState } from 'react';
import { useSync } from '@/client/use-sync';
import { Panel } from '@/components/panel';
import { SyncOutcome } from '@/components/sync-outcome';
import styles from '@/components/sync-panel.module.css';
import type { SyncRequest } from '@/lib/server/requests';

const OPERATIONS: { operation: SyncRequest['operation']; label: string; title: string }[] = [
  { operation: 'check', label: 'Check', title: 'Compare both stores, write nothing' },
  { operation: 'repair', label: 'Repair', title: 'Check, then repair what was found' },
  { operation: 'delta', label: 'Deliver', title: 'Bring the graph what it is owed' },
  { operation: 'rebuild', label: 'Rebuild', title: 'Write the graph anew' },
];

/** Checks and repairs, with their progress. */
export function SyncPanel({ userId, onEnd }: { userId: string; onEnd: () => void }) {
  const [isForUser, setForUser] = useState(false);
  const { run, start, stop } = useSync(onEnd);
  const isRunning = run?.isRunning ?? false;
  return (
    <Panel title="Check and repair">
      <div className={styles.buttons}>
        {OPERATIONS.map(({ operation, label, title }) => (
          <button
            key={operation}
            type="button"
            title={title}
            className={operation === 'check' ? 'primary' : undefined}
            disabled={isRunning}
            onClick={() => start({ operation, userId: isForUser ? userId : undefined })}
          >
            {label}
          </button>
        ))}
      </div>
      <label className={styles.scope}>
        <input type="checkbox" checked={isForUser} onChange={(event) => setForUser(event.target.checked)} />
        Only the memories of {userId}
      </label>
      {run && <SyncOutcome run={run} onStop={stop} />}
    </Panel>
  );
}
