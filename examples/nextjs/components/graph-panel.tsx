'use client';

import { useEffect, useState } from 'react';
import { useLoad } from '@/client/use-load';
import { EntityGraph } from '@/components/entity-graph';
import { EntityList } from '@/components/entity-list';
import styles from '@/components/graph-panel.module.css';
import { Panel, Problem, Quiet } from '@/components/panel';
import type { GraphEdge, GraphNode } from '@/lib/server/entity-graph';

/** The user's entities: drawn, and as a list that says the same. */
export function GraphPanel({ userId, version }: { userId: string; version: string }) {
  const [selected, setSelected] = useState<string | null>(null);
  const path = `/api/persistence/graph?${new URLSearchParams({ userId })}`;
  const graph = useLoad<{ nodes: GraphNode[]; edges: GraphEdge[] }>(path);

  // biome-ignore lint/correctness/useExhaustiveDependencies(version): what changed elsewhere is read again.
  useEffect(graph.reload, [version]);

  const { nodes, edges } = graph.data ?? { nodes: [], edges: [] };
  return (
    <Panel title="Entities" className={styles.panel}>
      {graph.problem && <Problem>{graph.problem}</Problem>}
      {graph.data && nodes.length === 0 && (
        <Quiet>No memory of {userId} mentions anybody or anything yet.</Quiet>
      )}
      {nodes.length > 0 && (
        <div className={styles.both}>
          <EntityGraph nodes={nodes} edges={edges} selected={selected} onSelect={setSelected} />
          <EntityList nodes={nodes} edges={edges} selected={selected} onSelect={setSelected} />
        </div>
      )}
    </Panel>
  );
}
