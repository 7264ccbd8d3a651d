-- Entities that say to be another than their key: the projection makes those anew that it does not find.
with wrong as materialized (
  select e.key from izzie_memory.graph_entities e
  where e.key in (select m.entity_key from izzie_memory.graph_mentions m where m.memory_id = any ($1))
    and e.key is distinct from izzie_memory.entity_key(e.user_id, e.label, e.normalized)
  order by e.key
  for update
)
delete from izzie_memory.graph_entities e using wrong where e.key = wrong.key
