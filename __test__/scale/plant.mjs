// Plants a store's list of differences and tells what a deep check has to find.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { pickVictims } from './data.mjs';
import { INVENTED, KINDS, RELATED, REMOVED, SOFT_DELETED } from './kinds.mjs';

/**
 * The victim of every difference, and what has to happen to it in Postgres while the two stores still agree.
 * @returns {Promise<{ kind: string, id: string }[]>}
 */
export async function chooseVictims(database, counts, related) {
  const kinds = Object.entries(counts).flatMap(([kind, count]) => Array(count).fill(kind));
  const plain = await pickVictims(database, kinds.length);
  const idFor = (kind) => {
    if (INVENTED.includes(kind)) return randomUUID();
    return RELATED.includes(kind) ? related.pop() : plain.pop();
  };
  const victims = kinds.map((kind) => ({ kind, id: idFor(kind) }));
  const of = (list) => victims.filter(({ kind }) => list.includes(kind)).map(({ id }) => id);
  await database.query('update public.memory_entries set is_deleted = true where id = any($1)', [
    of(SOFT_DELETED),
  ]);
  await database.query('delete from public.memory_entries where id = any($1)', [of(REMOVED)]);
  return victims;
}

/**
 * @param {{ plant(kind: string, id: string): Promise<{ planted: unknown }[]>,
 *   mentioning(key: string): Promise<string[]> }} graph
 * @returns {Promise<{ ids: string[], issue: string, conflict: boolean, fields: string[] }[]>} `ids`: a fault of an
 *   entity is found with any of the memories that mention it
 */
export async function plantAll(graph, victims) {
  const expected = [];
  for (const { kind, id } of victims) {
    const rows = await graph.plant(kind, id);
    assert.equal(rows.length, 1, `${kind} was planted ${rows.length} times`);
    const [{ planted }] = rows;
    const ids = typeof planted === 'string' ? await graph.mentioning(planted) : [id];
    expected.push({ kind, ids, ...KINDS[kind] });
  }
  return expected;
}

/** Exactly these differences, each called what it is. */
export function assertFound(found, expected) {
  const left = new Map(found.map((difference) => [difference.memoryId, difference]));
  const described = ({ issue, conflict, fields }) => ({ issue, conflict, fields });
  for (const { kind, ids, ...wanted } of expected) {
    const id = ids.find((candidate) => left.has(candidate));
    assert.ok(id, `${kind} was not found`);
    assert.deepEqual(described(left.get(id)), described(wanted), `${kind}: ${left.get(id).details}`);
    left.delete(id);
  }
  assert.deepEqual([...left.values()], [], 'more than was planted');
  assert.equal(found.length, expected.length);
}
