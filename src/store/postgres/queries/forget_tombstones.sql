with gone as (
  delete from izzie_memory.memory_state s
  using unnest($1::uuid[], $2::bigint[]) as t (memory_id, revision)
  where s.memory_id = t.memory_id and s.revision = t.revision and s.deleted
    and not exists (select from izzie_memory.memory_sync q where q.memory_id = s.memory_id)
  returning 1
)
select count(*) from gone
