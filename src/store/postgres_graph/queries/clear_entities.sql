with doomed as materialized (
  select e.key from izzie_memory.graph_entities e
  where ($1::text is null or e.user_id = $1)
    and not exists (select from izzie_memory.graph_mentions m where m.entity_key = e.key)
  order by e.key for update
)
delete from izzie_memory.graph_entities e using doomed d
where e.key = d.key and not exists (select from izzie_memory.graph_mentions m where m.entity_key = e.key)
