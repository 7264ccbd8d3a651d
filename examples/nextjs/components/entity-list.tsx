import { ENTITY_COLOURS, kindOf } from '@/client/entity-colours';
import styles from '@/components/graph-panel.module.css';
import type { GraphEdge, GraphNode } from '@/lib/server/entity-graph';

interface Props {
  nodes: GraphNode[];
  edges: GraphEdge[];
  selected: string | null;
  onSelect: (id: string | null) => void;
}

/** What the drawing shows, for eyes, ears and keys that have no use for it. */
export function EntityList({ nodes, edges, selected, onSelect }: Props) {
  const chosen = nodes.find(({ id }) => id === selected);
  return (
    <div className={styles.list}>
      <ul className={styles.entities} aria-label="Entities">
        {nodes.map(({ id, name, type, frequency }) => (
          <li key={id}>
            <button
              type="button"
              aria-pressed={id === selected}
              onClick={() => onSelect(id === selected ? null : id)}
            >
              <span className={styles.dot} style={{ background: ENTITY_COLOURS[type] }} />
              <span className={styles.name}>{name}</span>
              <span className={styles.kind}>
                {kindOf(type)} · {frequency}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {chosen && <Relations of={chosen} nodes={nodes} edges={edges} />}
    </div>
  );
}

function Relations({
  of: { id, name },
  nodes,
  edges,
}: {
  of: GraphNode;
  nodes: GraphNode[];
  edges: GraphEdge[];
}) {
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  const own = edges.filter(({ source, target }) => source === id || target === id);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section className={styles.relations} aria-label={`Relations of ${name}`} tabIndex={0}>
      <h3>{name}</h3>
      <ul>
        {own.map((edge) => (
          <li key={edge.id}>{relationSentence(edge, names)}</li>
        ))}
      </ul>
      {own.length === 0 && <p>Nothing joins it to the others.</p>}
    </section>
  );
}

function relationSentence(
  { source, target, relationship, weight }: GraphEdge,
  names: Map<string, string>,
): string {
  const verb =
    relationship === 'CO_OCCURS' ? 'is mentioned with' : relationship.toLowerCase().replaceAll('_', ' ');
  const memories = weight === 1 ? '1 memory' : `${weight} memories`;
  return `${names.get(source)} ${verb} ${names.get(target)}, ${memories}`;
}
