select r.memory_id
from izzie_memory.graph_relations r
join izzie_memory.graph_memories g on g.memory_id = r.memory_id and g.user_id = $1 and not g.deleted and not g.detached
left join izzie_memory.graph_mentions m on m.memory_id = r.memory_id and m.entity_key = r.from_key
where r.from_key = $2 and r.to_key = $3 and r.type = $4 and r.user_id = $1
order by m.extracted_at desc nulls last, r.memory_id
limit $5
