// One user's memories with ten entities each, made inside Postgres. The lower the number of an entity, the more memories
// mention it.

export const USER = 'one';
export const ENTITIES = 10;
export const TYPES = ['person', 'company', 'topic'];

const INSERT = `
  insert into public.memory_entries (id, user_id, content, summary, metadata, importance, created_at)
  select gen_random_uuid(), '${USER}', 'Memory ' || i || ' ' || repeat('word ', 30), null,
    jsonb_build_object('entities', (
      select jsonb_agg(jsonb_build_object('type', (array['person', 'company', 'topic'])[1 + k % 3],
        'value', 'Name ' || md5(k::text) || ' ' || k))
      from (select floor($2 * power((('x' || substr(md5(i || '/' || e), 1, 7))::bit(28)::int)::float8 / 268435456, 2))::int
            from generate_series(1, ${ENTITIES}) e) x (k))),
    5, timestamp '2026-01-01' + i * interval '1 second'
  from generate_series(1, $1::int) i`;

/** A fifth as many entities as memories, at least 200. */
export async function insertMemories(query, count) {
  await query(INSERT, [count, Math.max(200, Math.floor(count / 5))]);
  await query('vacuum analyze');
}

/** A statement of a relationship between entities that are there, for every hundredth memory. */
export async function stateRelationships(memory, entities, count) {
  const end = (index) => entities[index % entities.length];
  const entries = Array.from({ length: Math.floor(count / 100) }, (_, n) => {
    const [from, to] = [end(n * 7), end(n * 13 + 1)];
    const relationship = {
      fromType: from.type,
      fromValue: from.name,
      toType: to.type,
      toValue: to.name,
      relationshipType: 'ASSOCIATED_WITH',
    };
    return { userId: USER, content: `Statement ${n}`, entities: [], relationships: [relationship] };
  });
  const { failed } = await memory.storeMany(entries);
  if (failed.length > 0) throw failed[0].error;
}
