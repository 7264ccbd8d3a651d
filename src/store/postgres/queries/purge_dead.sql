with purged as (
  delete from izzie_memory.memory_sync q where q.memory_id = any ($1) and q.state = 'dead' returning 1
)
select count(*) from purged
