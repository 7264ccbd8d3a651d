with doomed as materialized (
  select g.memory_id from izzie_memory.graph_memories g
  where $1::text is null or g.user_id = $1
  order by g.memory_id limit $2 for update
), mentions as (
  delete from izzie_memory.graph_mentions m using doomed d where m.memory_id = d.memory_id
), relations as (
  delete from izzie_memory.graph_relations r using doomed d where r.memory_id = d.memory_id
), memories as (
  delete from izzie_memory.graph_memories g using doomed d where g.memory_id = d.memory_id returning 1
)
select count(*) from memories
