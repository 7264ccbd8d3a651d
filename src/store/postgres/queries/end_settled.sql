with outdated as (
  delete from izzie_memory.memory_sync q
  where q.target not in ('embedding', 'extraction')
    and not exists (select from izzie_memory.graph_targets t where t.target = q.target and t.current)
)
delete from izzie_memory.jobs where name = $1 and begun_at = $2
