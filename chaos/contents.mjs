// Random memories. Every one has a content of its own, so that a row tells which call wrote it.
import { formOf, normalized } from './form.mjs';

const TYPES = ['person', 'company', 'project', 'location'];
const RELATIONSHIPS = ['WORKS_WITH', 'WORKS_ON', 'LOCATED_IN', 'RELATED_TO'];
/** Few enough that memories of all processes meet at the same entities. */
const NAMES = 6;

/** @param {import('./random.mjs').Random} random @param {string} mark names this content */
export function newMemory(random, mark) {
  const entities = distinct(
    Array.from({ length: random.between(0, 6) }, () => ({
      type: random.pick(TYPES),
      value: `Name ${random.between(1, NAMES)}`,
    })),
  );
  return {
    content: `${mark}: ${'word '.repeat(random.between(1, 40))}`,
    summary: random.between(0, 1) ? `summary of ${mark}` : undefined,
    importance: random.between(1, 10),
    entities,
    relationships: entities.length < 2 ? [] : distinct(edges(random, entities)),
  };
}

/** The form that this memory has once it is stored. */
export function expectedForm({ content, summary = null, importance, entities, relationships }) {
  return formOf({
    content,
    summary,
    importance,
    entities: entities.map(({ type, value }) => ({ type, normalized: normalized(value) })),
    relationships: relationships.map(({ fromValue, relationshipType, toValue }) => ({
      fromNormalized: normalized(fromValue),
      relationshipType,
      toNormalized: normalized(toValue),
    })),
  });
}

function edges(random, entities) {
  return Array.from({ length: random.between(0, 2) }, () => {
    const [from, to] = random.some(entities, 2);
    return {
      fromType: from.type,
      fromValue: from.value,
      toType: to.type,
      toValue: to.value,
      relationshipType: random.pick(RELATIONSHIPS),
    };
  });
}

function distinct(list) {
  return [...new Map(list.map((item) => [JSON.stringify(item), item])).values()];
}
