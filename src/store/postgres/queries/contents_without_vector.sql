select e.id, e.content, e.summary, '{}'::jsonb as metadata, s.revision, encode(s.content_hash, 'hex') as content_hash
from (
  select s.memory_id, s.revision, s.content_hash
  from izzie_memory.memory_state s
  where not s.deleted and s.memory_id > $2 and not izzie_memory.has_vector(s.memory_id, $1)
  order by s.memory_id
  limit $3
) s
join public.memory_entries e on e.id = s.memory_id
order by e.id
