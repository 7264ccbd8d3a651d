select x.type, count(*)
from (
  select distinct r.type, r.from_key, r.to_key
  from izzie_memory.graph_entities e
  join izzie_memory.graph_relations r on r.from_key = e.key
  join izzie_memory.graph_memories g on g.memory_id = r.memory_id and g.user_id = $1 and not g.deleted and not g.detached
  where e.user_id = $1
) x
group by x.type
