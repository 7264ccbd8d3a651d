import type { OwedToModel, StoreStatus, SyncStats } from 'izzie-memory';
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
      <Facts sync={status.sync} />
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

interface StoreProps {
  name: string;
  state: Json<StoreStatus>;
  /** null: nobody could count. */
  count: number | null;
}

function Store({ name, state, count }: StoreProps) {
  const { available, healthy } = state;
  const word = healthy ? 'healthy' : available ? 'limited' : 'away';
  return (
    <li className={styles.store} data-state={healthy ? 'healthy' : available ? 'degraded' : 'unhealthy'}>
      <span className={styles.name}>{name}</span>
      <span className={styles.word}>{word}</span>
      <span className={styles.count}>{count === null ? '–' : count.toLocaleString('en')}</span>
      <span className={styles.unit}>{unitOf(count)}</span>
    </li>
  );
}

function unitOf(count: number | null): string {
  if (count === null) return 'memories, unknown';
  return count === 1 ? 'memory' : 'memories';
}

function Facts({ sync }: { sync: Json<SyncStats> }) {
  const facts = {
    'Last check of all': lastCheckOf(sync),
    'Open conflicts': sync.conflicts ?? UNKNOWN,
    'Without embedding': lackOf(sync.embedding),
    'Without extraction': lackOf(sync.extraction),
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

const UNKNOWN = 'unknown';

/** Postgres remembers it: while it is away, nobody knows. */
function lastCheckOf({ lastSync, unavailable }: Json<SyncStats>): string {
  if (lastSync) return new Date(lastSync).toLocaleString();
  return unavailable?.vectorStore ? UNKNOWN : 'never';
}

function lackOf(owed: Json<OwedToModel> | null): string | number {
  return owed === null ? UNKNOWN : owed.pending + owed.waiting;
}
