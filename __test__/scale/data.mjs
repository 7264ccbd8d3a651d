// Very many memories, made inside Postgres as rows of other code: the triggers do the rest.
import { createMemoryLayer } from 'izzie-memory';

/** Their entities have equal names. */
const USERS = 20;
/** A user without memories of that kind. */
export const STRANGER = 'stranger';
/** The name of an entity that every user has, the stranger too, in one memory each. */
export const SPARE = 'spare';

const INSERT = `
  insert into public.memory_entries (id, user_id, content, summary, metadata, importance, created_at)
  select gen_random_uuid(), 'user-' || i % ${USERS}, 'Memory ' || i || ' ' || repeat('word ', 20), 'Summary ' || i,
    jsonb_build_object('entities', jsonb_build_array(
      jsonb_build_object('type', 'person', 'value', 'Person ' || i / ${USERS} % 1000),
      jsonb_build_object('type', 'company', 'value', 'Company ' || i / ${USERS} % 97))),
    1 + i % 9, timestamp '2026-01-01' + i * interval '1 second'
  from generate_series($1::int, $2::int) i`;

const INSERT_SPARES = `
  insert into public.memory_entries (id, user_id, content, metadata)
  select gen_random_uuid(), owner, 'Of the spare entity',
    jsonb_build_object('entities', jsonb_build_array(jsonb_build_object('type', 'person', 'value', $1::text)))
  from (select 'user-' || i from generate_series(0, ${USERS - 1}) i union select $2::text) owners (owner)`;

const CANDIDATES = `
  select id, user_id as "userId", metadata -> 'entities' as entities from public.memory_entries
  where content like 'Memory %' order by id limit 1000`;

/** Two connections, one for each core of a small machine. */
export async function insertMemories(database, count) {
  const half = Math.floor(count / 2);
  await Promise.all([database.query(INSERT, [1, half]), database.query(INSERT, [half + 1, count])]);
  await database.query(INSERT_SPARES, [SPARE, STRANGER]);
}

/** Relationships come with the package's own calls only. Resolves to the ids of the memories. */
export async function storeRelated(config, count) {
  const layer = createMemoryLayer(config);
  const ids = [];
  try {
    for (let n = 0; n < count; n += 1) {
      const [from, to] = ['Left', 'Right'].map((side) => ({ type: 'person', value: `${side} ${n}` }));
      const ends = { fromType: 'person', fromValue: from.value, toType: 'person', toValue: to.value };
      const { id } = await layer.memory.store(
        { userId: 'user-1', content: `Related ${n}` },
        {
          entities: [from, to],
          relationships: [{ ...ends, relationshipType: 'WORKS_WITH', evidence: 'said so' }],
        },
      );
      ids.push(id);
    }
  } finally {
    await layer.close();
  }
  return ids;
}

/** Memories that have no entity in common, so that no planted difference hides another one. */
export async function pickVictims(database, count) {
  const used = new Set();
  const victims = (await database.query(CANDIDATES)).filter(({ userId, entities }) => {
    const names = entities.map(({ value }) => `${userId}/${value}`);
    if (names.some((name) => used.has(name))) return false;
    for (const name of names) used.add(name);
    return true;
  });
  if (victims.length < count) throw new Error(`only ${victims.length} memories have nothing in common`);
  return victims.slice(0, count).map(({ id }) => id);
}
