// A small run in which all is well: what two processes noted, and what both stores hold afterwards.
import { formOf } from '../../chaos/form.mjs';

const memory = (content, names = []) => ({
  content,
  summary: null,
  importance: 5,
  entities: names.map((name) => ({ type: 'person', normalized: name })),
  relationships:
    names.length < 2
      ? []
      : [
          {
            fromType: 'person',
            fromNormalized: names[0],
            toType: 'person',
            toNormalized: names[1],
            relationshipType: 'WORKS_WITH',
          },
        ],
});

export const FIRST = memory('first', ['ada', 'grace']);
export const SECOND = memory('second', ['grace']);
export const OTHER = memory('other', ['ada']);

/** A call on one memory; without `applied` it was cut off. */
export function call(does, id, { at, until = at + 1, applied = 'yes', revision, memory, ...target }) {
  const form = memory && formOf(memory);
  const begin = {
    begin: `${id}-${at}`,
    at,
    kind: does,
    targets: [{ id, userId: 'u', does, form, ...target }],
  };
  if (memory) begin.targets[0].content = memory.content;
  return applied
    ? { begin, end: { end: begin.begin, at: until, outcomes: [{ applied, revision }] } }
    : { begin };
}

export function row(id, memory, revision, more = {}) {
  return {
    id,
    userId: 'u',
    ...memory,
    createdAt: 1_000_000,
    deleted: false,
    stateDeleted: false,
    epoch: 1,
    revision,
    form: formOf(memory),
    ...more,
  };
}

/** The graph as it should be for these rows. */
export function graphOf(rows) {
  const live = rows.filter(({ deleted }) => !deleted);
  const mentions = live.flatMap(({ id, entities }) =>
    entities.map(({ normalized }) => ({ id, entity: `key ${normalized}` })),
  );
  const relations = live.flatMap(({ id, relationships }) =>
    relationships.map((edge) => ({
      id,
      type: edge.relationshipType,
      from: `key ${edge.fromNormalized}`,
      to: `key ${edge.toNormalized}`,
    })),
  );
  const entities = ['ada', 'grace'].map((normalized) => ({
    key: `key ${normalized}`,
    userId: 'u',
    label: 'Person',
    normalized,
    frequency: mentions.filter(({ entity }) => entity === `key ${normalized}`).length,
  }));
  const memories = rows.map(
    ({ id, userId, epoch, revision, deleted, content, summary, importance, createdAt }) =>
      deleted
        ? { id, userId, epoch, revision, deleted }
        : { id, userId, epoch, revision, deleted, content, summary, importance, createdAt },
  );
  return { memories, entities, mentions, relations };
}

/** `a` was updated, `b` stays as it was stored, `c` was soft-deleted, `d` removed. */
export function world() {
  const calls = [
    call('put', 'a', { at: 1, revision: 1, memory: FIRST }),
    call('update', 'a', { at: 3, revision: 2, memory: SECOND }),
    call('put', 'b', { at: 1, revision: 3, memory: OTHER }),
    call('put', 'c', { at: 1, revision: 4, memory: memory('c', ['ada']) }),
    call('hide', 'c', { at: 5 }),
    call('put', 'd', { at: 1, revision: 6, memory: memory('d') }),
    call('remove', 'd', { at: 5 }),
  ];
  const rows = [
    row('a', SECOND, 2),
    row('b', OTHER, 3),
    row('c', memory('c', ['ada']), 5, { deleted: true, stateDeleted: true }),
  ];
  return { calls, rows, graph: graphOf(rows) };
}
