import type { GraphEntity, RelatedEntity, RelationType } from 'izzie-memory';
import { graphService } from 'izzie-memory/graph';

/** Relations that are read of one entity. */
const RELATIONS = 50;
/** Of those that only say that two are mentioned together, so many of each entity: more is a thicket. */
const COMPANY = 3;

/** An entity and, joining two of them, a relation: what is drawn. */
export interface GraphNode extends Omit<GraphEntity, 'firstSeen' | 'lastSeen'> {
  id: string;
}

export interface GraphEdge {
  id: string;
  source: string;
  target: string;
  relationship: RelationType;
  /** Memories that support it. */
  weight: number;
}

/** The user's most mentioned entities and what joins them. */
export async function entityGraph(userId: string, limit: number, signal: AbortSignal) {
  const entities = await graphService.getTopEntities(userId, { limit, signal });
  const nodes = entities.map(toNode);
  const known = new Set(nodes.map(({ id }) => id));
  const edges = new Map<string, GraphEdge>();
  await Promise.all(
    entities.map(async (entity) => {
      const reference = { type: entity.type, value: entity.normalized };
      const related = await graphService.getRelatedEntities(userId, reference, { limit: RELATIONS, signal });
      for (const edge of related.map((relation) => toEdge(entity, relation))) {
        if (known.has(edge.source) && known.has(edge.target)) edges.set(edge.id, edge);
      }
    }),
  );
  return { nodes, edges: withoutThickets([...edges.values()]) };
}

function toNode(entity: GraphEntity): GraphNode {
  const { type, name, normalized, frequency, confidence } = entity;
  return { id: idOf(entity), type, name, normalized, frequency, confidence };
}

/** The same from both ends, so that each relation is drawn once. */
function toEdge(from: GraphEntity, { entity, relationship, direction, weight }: RelatedEntity): GraphEdge {
  const ends = [idOf(from), idOf(entity)] as [string, string];
  if (direction === 'in') ends.reverse();
  if (direction === 'none') ends.sort();
  const [source, target] = ends;
  return { id: `${source} ${relationship} ${target}`, source, target, relationship, weight };
}

/**
 * That two are mentioned together says nothing new where a memory states how they belong together; of the rest, the
 * strongest of each entity stay.
 */
function withoutThickets(edges: GraphEdge[]): GraphEdge[] {
  const stated = edges.filter(({ relationship }) => relationship !== 'CO_OCCURS');
  const told = new Set(stated.map(pairOf));
  const company = edges
    .filter((edge) => edge.relationship === 'CO_OCCURS' && !told.has(pairOf(edge)))
    .sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
  const taken = new Map<string, number>();
  const strongest = company.filter(({ source, target }) => {
    const ranks = [source, target].map((end) => taken.get(end) ?? 0);
    for (const end of [source, target]) taken.set(end, (taken.get(end) ?? 0) + 1);
    return Math.min(...ranks) < COMPANY;
  });
  return [...stated.sort((a, b) => (a.id < b.id ? -1 : 1)), ...strongest];
}

function pairOf({ source, target }: GraphEdge): string {
  return [source, target].sort().join(' ');
}

function idOf({ type, normalized }: GraphEntity): string {
  return `${type}:${normalized}`;
}
