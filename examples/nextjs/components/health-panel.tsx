import type { StoreStatus, SyncStats } from 'izzie-memory';
import type { Json } from '@/client/api';
import type { Status } from '@/client/use-status';
import styles from '@/components/health-panel.module.css';
import { Panel, Quiet } from '@/components/panel';

/** Both stores, and what limits the service. */
export function HealthPanel({ status }: { status: Json<Status> | null }) {
  return (
    <Panel title="Health" aside={status && <Badge state={status.status} />}>
      {status ? <Stores status={status} /> : <Quiet>Asking…</Quiet>}
    </Panel>
  );
}

function Badge({ state }: { state: Status['status'] }) {
  return (
    <span role="status" aria-label="Overall" className={styles.badge} data-state={state}>
      {state}
    </span>
  );
}

function Stores({ status }: { status: Json<Status> }) {
  const { stores, metrics, reasons } = status;
  return (
    <>
      <ul className={styles.stores}>
        <Store name="Postgres" state={stores.vectorStore} count={metrics.vectorStoreCount} />
        <Store name="Graph" state={stores.graphStore} count={metrics.graphStoreCount} />
      </ul>
      {status.sync && <Facts sync={status.sync} />}
      {reasons.length > 0 && (
        <ul className={styles.reasons} aria-label="Reasons">
          {reasons.map(({ code, message }) => (
            <li key={code + message}>
              <code>{code}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Store({ name, state, count }: { name: string; state: Json<StoreStatus>; count: number }) {
  const { available, healthy } = state;
  const word = healthy ? 'healthy' : available ? 'limited' : 'away';
  return (
    <li className={styles.store} data-state={healthy ? 'healthy' : available ? 'degraded' : 'unhealthy'}>
      <span className={styles.name}>{name}</span>
      <span className={styles.word}>{word}</span>
      <span className={styles.count}>{count.toLocaleString('en')}</span>
      <span className={styles.unit}>{count === 1 ? 'memory' : 'memories'}</span>
    </li>
  );
}

function Facts({ sync }: { sync: Json<SyncStats> }) {
  const facts = {
    'Last check of all': sync.lastSync ? new Date(sync.lastSync).toLocaleString() : 'never',
    'Open conflicts': sync.conflicts,
    'Without embedding': sync.embedding.pending + sync.embedding.waiting,
    'Without extraction': sync.extraction.pending + sync.extraction.waiting,
  };
  return (
    <dl className={styles.facts}>
      {Object.entries(facts).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
