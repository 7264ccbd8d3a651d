select a.memory_id
from izzie_memory.graph_mentions a
join izzie_memory.graph_mentions b on b.memory_id = a.memory_id and b.entity_key = $3
join izzie_memory.graph_memories g on g.memory_id = a.memory_id and g.user_id = $1 and not g.deleted and not g.detached
where a.entity_key = $2 and a.user_id = $1
order by a.extracted_at desc, a.memory_id
limit $4
