select e.id, e.content, e.summary, case when jsonb_typeof(e.metadata) = 'object' then e.metadata else '{}' end as metadata,
  s.revision, encode(s.content_hash, 'hex') as content_hash
from public.memory_entries e
join izzie_memory.memory_state s on s.memory_id = e.id and not s.deleted
where e.id = any ($1)
order by e.id
