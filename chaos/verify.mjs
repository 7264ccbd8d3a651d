// The verdict over a run: everything acknowledged is there, and the graph is what the rows say.
import { compare, repeated } from './compare.mjs';
import { eventsOf } from './history.mjs';
import { judge } from './judge.mjs';

/**
 * @param {{ begin: import('./journal.mjs').Begin, end?: import('./journal.mjs').End }[]} calls
 * @param {import('./snapshot.mjs').Row[]} rows
 * @param {import('./snapshot.mjs').Graph} graph
 * @returns {{ kind: string, id: string, details: string }[]} empty if all is well
 */
export function verify(calls, rows, graph) {
  return [...verifyRows(calls, rows), ...compare(rows, graph)];
}

function verifyRows(calls, rows) {
  const { events, nameless } = eventsOf(calls);
  const found = new Map(rows.map((row) => [row.id, row]));
  const written = new Set(nameless.map(({ content }) => content));
  const strangers = rows.filter((row) => !events.has(row.id) && !written.has(row.content));
  return [
    ...[...events].flatMap(([id, history]) =>
      judge(history, found.get(id)).map((problem) => ({ id, ...problem })),
    ),
    ...strangers.map(({ id }) => ({ kind: 'invented', id, details: 'nobody stored it' })),
    ...repeated(rows.map(({ content }) => content)).map((content) => ({
      kind: 'doubled',
      id: content.split(':')[0],
      details: 'several memories hold this content',
    })),
    ...rows
      .filter((row) => row.deleted !== row.stateDeleted)
      .map(({ id }) => ({ kind: 'divergent', id, details: 'its state says otherwise of its deletion' })),
  ];
}
