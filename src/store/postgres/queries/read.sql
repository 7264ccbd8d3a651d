with touched as (
  update public.memory_entries e
  set access_count = least(coalesce(e.access_count, 0)::bigint + 1, 2147483647)::integer, last_accessed_at = clock_timestamp() at time zone 'UTC'
  where e.id = $1 and not coalesce(e.is_deleted, false) and ($2::text is null or e.user_id = $2)
  returning e.id, e.access_count, e.last_accessed_at
)
select m.id, m.user_id, m.conversation_id, m.content, m.summary, m.metadata, m.importance, t.access_count,
  izzie_memory.moment(t.last_accessed_at) as last_accessed_at, m.is_deleted, m.created_at, m.updated_at, m.revision,
  m.entities, m.relationships, m.rejected
from touched t
join izzie_memory.memories m on m.id = t.id
