select m.extracted_at as at, m.memory_id
from izzie_memory.graph_mentions m
join izzie_memory.graph_memories g on g.memory_id = m.memory_id and g.user_id = $1 and not g.deleted and not g.detached
where m.entity_key = $2 and m.user_id = $1
  and ($3::bigint is null or m.extracted_at < $3 or m.extracted_at = $3 and m.memory_id > $4)
order by m.extracted_at desc, m.memory_id
limit $5
