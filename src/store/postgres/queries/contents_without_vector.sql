select e.id, e.content, e.summary, '{}'::jsonb as metadata, s.revision, encode(s.content_hash, 'hex') as content_hash
from izzie_memory.without_vector($1, null, $2, $3) as w (id)
join izzie_memory.memory_state s on s.memory_id = w.id
join public.memory_entries e on e.id = w.id
order by e.id
