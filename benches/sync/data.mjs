// Memories with entities, made inside Postgres, and ways to set the two stores apart.

/** The user whose memories are checked alone. */
export const ONE_USER = 'one';
export const OF_ONE_USER = 1000;
export const ENTITIES = 10;

const INSERT = `
  insert into public.memory_entries (id, user_id, content, summary, metadata, importance, created_at)
  select gen_random_uuid(), case when i <= ${OF_ONE_USER} then '${ONE_USER}' else 'user-' || i % 50 end,
    'Memory ' || i || ' ' || repeat('word ', 30), null,
    jsonb_build_object('entities', (
      select jsonb_agg(jsonb_build_object('type', 'person', 'value', 'Person ' || (i * 7 + e * 13) % 2000))
      from generate_series(1, ${ENTITIES}) e)),
    5, timestamp '2026-01-01' + i * interval '1 second'
  from generate_series($1::int, $2::int) i`;

const SHARE = 25_000;

/** Two connections at a time, one for each core of a small machine. */
export async function insertMemories(query, count) {
  let next = 1;
  const insertShares = async () => {
    while (next <= count) {
      const first = next;
      next = Math.min(first + SHARE, count + 1);
      await query(INSERT, [first, next - 1]);
    }
  };
  await Promise.all([insertShares(), insertShares()]);
  await query('vacuum analyze');
}

/** Changes so many memories past the package: each then owes the graph its newest revision. */
export async function changeMemories(query, count) {
  await query(
    `update public.memory_entries set importance = 1 + importance % 10
     where id in (select id from public.memory_entries order by id limit $1)`,
    [count],
  );
}

/** Ids of memories of one page, spread over users. */
export async function someIds(query, count) {
  const rows = await query('select id from public.memory_entries order by id limit $1', [count]);
  return rows.map(({ id }) => id);
}
