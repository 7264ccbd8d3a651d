with memories as materialized (
  select distinct m.memory_id
  from izzie_memory.graph_mentions m
  join izzie_memory.graph_memories g on g.memory_id = m.memory_id and g.user_id = $1 and not g.deleted and not g.detached
  where m.entity_key = any ($2)
), met as (
  select distinct m.entity_key as key from memories join izzie_memory.graph_mentions m using (memory_id) limit $3
)
select e.normalized, e.type, e.key, e.frequency
from met
join izzie_memory.graph_entities e on e.key = met.key and e.user_id = $1
