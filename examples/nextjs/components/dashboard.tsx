'use client';

import { useState } from 'react';
import { logOut } from '@/app/login/actions';
import { useStatus } from '@/client/use-status';
import { AddMemory } from '@/components/add-memory';
import styles from '@/components/dashboard.module.css';
import { GraphPanel } from '@/components/graph-panel';
import { HealthPanel } from '@/components/health-panel';
import { Problem } from '@/components/panel';
import { QueuePanel } from '@/components/queue-panel';
import { SearchPanel } from '@/components/search-panel';
import { SyncPanel } from '@/components/sync-panel';
import { ThemeToggle } from '@/components/theme-toggle';
import { TrendPanel } from '@/components/trend-panel';
import { UserForm } from '@/components/user-form';

/** The state of the layer, and the memories of one user. */
export function Dashboard({ firstUser, canLogOut }: { firstUser: string; canLogOut: boolean }) {
  const [userId, setUserId] = useState(firstUser);
  const [changes, setChanges] = useState(0);
  const { status, samples, problem, refresh } = useStatus();

  const changed = () => {
    setChanges((before) => before + 1);
    refresh();
  };

  /** Moves when memories, the graph or the queue may have changed: who shows them reads them again. */
  const sync = status?.sync;
  const version = [changes, sync?.vectorStoreCount, sync?.syncPercentage, sync?.pending, sync?.dead].join();

  return (
    <div className={styles.page}>
      <header className={styles.top}>
        <h1>
          <span aria-hidden="true" className={styles.mark} />
          izzie-memory
        </h1>
        <UserForm userId={userId} onChange={setUserId} />
        <div className={styles.tools}>
          <ThemeToggle />
          {canLogOut && (
            <form action={logOut}>
              <button type="submit">Log out</button>
            </form>
          )}
        </div>
      </header>
      <main className={styles.grid}>
        {problem && (
          <div className={styles.wide}>
            <Problem>{problem}</Problem>
          </div>
        )}
        <HealthPanel status={status} />
        <TrendPanel samples={samples} />
        <SyncPanel userId={userId} onEnd={changed} />
        <div className={styles.wide}>
          <GraphPanel userId={userId} version={version} />
        </div>
        <div className={styles.middle}>
          <SearchPanel key={userId} userId={userId} />
        </div>
        <div className={styles.column}>
          <QueuePanel version={version} counts={sync} onRetry={changed} />
          <AddMemory userId={userId} onStored={changed} />
        </div>
      </main>
    </div>
  );
}
