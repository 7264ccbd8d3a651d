with gone as (
  select m.entity_key, count(*) as detached
  from izzie_memory.graph_memories g
  join izzie_memory.graph_mentions m on m.memory_id = g.memory_id
  where g.user_id = $1 and g.detached
  group by m.entity_key
)
select e.key, e.type, e.name, e.normalized, e.frequency, e.confidence, e.first_seen, e.last_seen, gone.detached
from gone
join izzie_memory.graph_entities e on e.key = gone.entity_key and e.user_id = $1
