select distinct g.bucket
from izzie_memory.graph_memories g
left join lateral (
  select count(*) as number from izzie_memory.graph_mentions m
  join izzie_memory.graph_entities e on e.key = m.entity_key
  where m.memory_id = g.memory_id
) held on true
left join lateral (
  select count(*) as number from izzie_memory.graph_relations r where r.memory_id = g.memory_id
) stated on true
where g.user_id = $1 and not g.deleted and not g.detached
  and (g.mentions <> held.number or g.relationships <> stated.number)
