-- All memories at once: what they have is counted in one pass over each table.
select distinct g.bucket
from izzie_memory.graph_memories g
left join (
  select m.memory_id, count(*) as number from izzie_memory.graph_mentions m
  join izzie_memory.graph_entities e on e.key = m.entity_key
  group by m.memory_id
) held using (memory_id)
left join (
  select r.memory_id, count(*) as number from izzie_memory.graph_relations r group by r.memory_id
) stated using (memory_id)
where not g.deleted and not g.detached
  and (g.mentions <> coalesce(held.number, 0) or g.relationships <> coalesce(stated.number, 0))
