// What a write makes of a memory, as one short text that can be compared with what is in the stores afterwards.
import { createHash } from 'node:crypto';

/**
 * @param {{ content: string, summary: string | null, importance: number,
 *   entities: { type: string, normalized: string }[],
 *   relationships: { fromNormalized: string, relationshipType: string, toNormalized: string }[] }} memory
 */
export function formOf({ content, summary, importance, entities, relationships }) {
  const named = entities.map(({ type, normalized }) => `${type} ${normalized}`).sort();
  const related = relationships
    .map(({ fromNormalized, relationshipType, toNormalized }) =>
      [fromNormalized, relationshipType, toNormalized].join(' '),
    )
    .sort();
  const text = JSON.stringify([content, summary, importance, named, related]);
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

/** The rule by which equal names are known. */
export const normalized = (name) => name.trim().replace(/\s+/g, ' ').toLowerCase();
