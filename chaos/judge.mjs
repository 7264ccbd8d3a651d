// Is the last state of one memory one that its history allows?
import { isAfter } from './history.mjs';

/** By what a memory comes into each state, and what it would not survive in. A soft delete of a removed row does nothing. */
const LIVENESS = {
  live: { by: ['put', 'revive'], not: ['hide', 'remove'] },
  hidden: { by: ['hide'], not: ['put', 'revive', 'remove'] },
  gone: { by: ['remove'], not: ['put', 'revive'] },
};

/**
 * @param {import('./history.mjs').Event[]} events all that may have happened to this memory
 * @param {{ userId: string, deleted: boolean, form: string, revision: number } | undefined} row
 * @returns {{ kind: 'lost' | 'resurrected' | 'misplaced' | 'invented', details: string }[]}
 */
export function judge(events, row) {
  return [
    ...judgeLiveness(events, row),
    ...(row ? judgeContent(events, row) : []),
    ...judgeConditions(events),
  ];
}

function judgeLiveness(events, row) {
  const state = stateOf(row);
  const { by, not } = LIVENESS[state];
  const denials = events.filter(({ does, applied }) => applied === 'yes' && not.includes(does));
  const causes = events.filter((event) => by.includes(event.does));
  if (causes.some((cause) => !denials.some((denial) => isAfter(denial, cause)))) return [];
  if (state === 'gone' && denials.length === 0) return []; // it was never certain to be there
  const kind = state === 'live' ? 'resurrected' : 'lost';
  return [{ kind, details: `it is ${state}, which no write explains that was not followed by another` }];
}

function stateOf(row) {
  if (!row) return 'gone';
  return row.deleted ? 'hidden' : 'live';
}

function judgeContent(events, row) {
  const writes = events.filter(({ does }) => does === 'put' || does === 'update');
  if (events.every(({ userId }) => userId !== row.userId))
    return [{ kind: 'misplaced', details: `it belongs to ${row.userId}` }];
  const causes = writes.filter(({ form }) => form === row.form);
  if (causes.length === 0) return [{ kind: 'invented', details: 'nobody wrote what it holds' }];
  const denials = writes.filter(({ form, applied }) => applied === 'yes' && form !== row.form);
  const newest = Math.max(...events.map(({ revision = 0 }) => revision));
  if (newest > row.revision)
    return [{ kind: 'lost', details: `revision ${newest} was acknowledged, it is at ${row.revision}` }];
  if (causes.some((cause) => !denials.some((denial) => isAfter(denial, cause)))) return [];
  return [{ kind: 'lost', details: 'it holds what an acknowledged write had replaced' }];
}

/** A write on condition of a revision, and another one between that revision and its own. */
function judgeConditions(events) {
  const written = events.filter(({ applied, revision }) => applied === 'yes' && revision !== undefined);
  return written.flatMap(({ expected, revision }) => {
    if (expected === undefined) return [];
    const between = written.filter((event) => event.revision > expected && event.revision < revision);
    return between.map((event) => ({
      kind: 'lost',
      details: `revision ${event.revision} was replaced by a write that expected revision ${expected}`,
    }));
  });
}
