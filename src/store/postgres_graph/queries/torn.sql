select g.memory_id
from izzie_memory.graph_memories g
left join lateral (
  select count(*) as number from izzie_memory.graph_mentions m
  join izzie_memory.graph_entities e on e.key = m.entity_key
  where m.memory_id = g.memory_id
) held on true
left join lateral (
  select count(*) as number from izzie_memory.graph_relations r where r.memory_id = g.memory_id
) stated on true
where g.bucket = any ($1) and not g.deleted and not g.detached and ($2::text is null or g.user_id = $2)
  and (g.mentions <> held.number or g.relationships <> stated.number)
