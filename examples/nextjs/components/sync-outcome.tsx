import type { SyncOutcome as Outcome, Progress } from 'izzie-memory';
import type { Json } from '@/client/api';
import type { SyncRun } from '@/client/use-sync';
import { Problem } from '@/components/panel';
import styles from '@/components/sync-panel.module.css';

const ISSUES = {
  missing_in_graph: 'missing in the graph',
  missing_in_vector: 'missing in Postgres',
  metadata_mismatch: 'differs',
};

/** How far an operation is, then what came of it. */
export function SyncOutcome({ run, onStop }: { run: SyncRun; onStop: () => void }) {
  return (
    <div className={styles.outcome}>
      {run.isRunning && <Running progress={run.progress} onStop={onStop} />}
      <p
        role="status"
        aria-label="Outcome"
        hidden={run.isRunning || !sentence(run)}
        className={styles.summary}
        data-differs={differs(run)}
      >
        {sentence(run)}
      </p>
      {run.problem && <Problem>{run.problem}</Problem>}
      {run.result && <Differences result={run.result} />}
    </div>
  );
}

function Running({ progress, onStop }: { progress: Progress | null; onStop: () => void }) {
  return (
    <div className={styles.running}>
      <progress aria-label="Progress" value={progress?.done} max={progress?.total} />
      {progress && (
        <span>
          {progress.done} of {progress.total}
        </span>
      )}
      <button type="button" onClick={onStop}>
        Stop
      </button>
    </div>
  );
}

function Differences({ result: { inconsistencies } }: { result: Json<Outcome> }) {
  if (inconsistencies.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reached by keyboard.
    <ul className={styles.differences} aria-label="Differences" tabIndex={0}>
      {inconsistencies.map(({ memoryId, issue, details }) => (
        <li key={memoryId} title={details}>
          <code>{memoryId}</code> <span>{ISSUES[issue]}</span>
        </li>
      ))}
    </ul>
  );
}

function differs({ operation, result, wasStopped }: SyncRun): boolean {
  if (!result) return wasStopped;
  const left = operation === 'check' ? result.inconsistencies.length : result.failed;
  return left + result.conflicts + result.pending > 0;
}

function sentence({ operation, result, wasStopped }: SyncRun): string {
  if (wasStopped) return 'Stopped.';
  if (!result) return '';
  const { totalChecked, inconsistencies, repaired, failed, pending } = result;
  const told =
    operation === 'check'
      ? [`${totalChecked} compared`, `${inconsistencies.length} differ`]
      : [`${repaired} written`, `${failed} failed`];
  if (pending > 0) told.push(`${pending} still owed`);
  return `${told.join(', ')}, ${Math.round(result.duration)} ms.`;
}
