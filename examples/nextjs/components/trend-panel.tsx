import type { Sample } from '@/client/use-status';
import { Panel } from '@/components/panel';
import { Trend } from '@/components/trend';

/** How far the graph is in step, and what is owed, since the page was opened. */
export function TrendPanel({ samples }: { samples: readonly Sample[] }) {
  return (
    <Panel title="In step">
      <Trend
        name="Synchronised"
        unit=" %"
        values={samples.map(({ percentage }) => percentage)}
        times={samples.map(({ at }) => at)}
        top={100}
      />
      <Trend
        name="Backlog"
        unit=" owed"
        values={samples.map(({ backlog }) => backlog)}
        times={samples.map(({ at }) => at)}
        top={10}
      />
    </Panel>
  );
}
