// From the journals of all processes to what each memory may look like at the end.

/**
 * What may have happened to a memory: one target of one call, with the time in which it did (milliseconds; without an
 * answer it may still happen at any time) and the revision that the answer named.
 * @typedef {import('./journal.mjs').Target & { applied: 'yes' | 'saw' | 'unknown', from: number, to: number,
 *   revision?: number }} Event
 */

/**
 * @param {{ begin: import('./journal.mjs').Begin, end?: import('./journal.mjs').End }[]} calls
 * @returns {{ events: Map<string, Event[]>, nameless: Event[] }} by memory; `nameless`: stores by key whose id nobody
 *   was told
 */
export function eventsOf(calls) {
  const events = new Map();
  const nameless = [];
  for (const { begin, end } of calls) {
    begin.targets.forEach((target, place) => {
      const outcome = end?.outcomes[place] ?? { applied: 'unknown' };
      if (outcome.applied === 'no') return;
      const id = target.id ?? outcome.id;
      const { applied, revision } = outcome;
      const to = applied === 'unknown' ? Number.POSITIVE_INFINITY : end.at;
      const event = { ...target, id, applied, revision, from: begin.at, to };
      if (!id) nameless.push(event);
      else if (events.has(id)) events.get(id).push(event);
      else events.set(id, [event]);
    });
  }
  return { events, nameless };
}

/** Did `later` certainly happen after `earlier`? Revisions are given in the order of the writes. */
export function isAfter(later, earlier) {
  if (later.revision !== undefined && earlier.revision !== undefined)
    return later.revision > earlier.revision;
  return later.from > earlier.to;
}
