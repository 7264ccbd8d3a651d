-- One user's memories by id. $1 user, $2 the first id that may come, $3 limit, $4 soft-deleted ones too, $5 also rows that
-- no adoption has reached. Entities and relationships as they were given, null while their extraction is owed. Metadata as the
-- row has it, also where that is no object.
with known as materialized (
  select s.memory_id, coalesce(s.given_entities, s.entities) as entities,
    coalesce(s.given_relationships, s.relationships) as relationships
  from izzie_memory.memory_state s
  where s.user_id = $1 and s.memory_id >= $2 and (not s.deleted or $4 and s.content_hash is not null)
  order by s.memory_id
  limit $3
), unknown as materialized (
  select e.id, case when jsonb_typeof(e.metadata -> 'entities') = 'array' then izzie_memory.canonical_entities(e.metadata -> 'entities') end,
    '[]'::jsonb
  from public.memory_entries e
  where $5 and e.user_id = $1 and e.id >= $2 and ($4 or not coalesce(e.is_deleted, false))
    and not exists (select from izzie_memory.memory_state s where s.memory_id = e.id)
  order by e.id
  limit $3
), page as (
  select * from known union all select * from unknown order by 1 limit $3
)
select m.id, m.conversation_id, m.content, m.summary, coalesce(nullif(e.metadata, 'null'), '{}') as metadata, m.importance, m.is_deleted, m.created_at,
  case when not owed then page.entities end as entities, case when not owed then page.relationships end as relationships
from page
join izzie_memory.memories m on m.id = page.memory_id
join public.memory_entries e on e.id = m.id,
  lateral (select exists (select from izzie_memory.memory_sync q
    where q.target = 'extraction' and q.memory_id = page.memory_id) as owed) debt
order by m.id
