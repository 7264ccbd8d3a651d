with applied as (
  select * from unnest($2::uuid[], $3::bigint[]) as a (memory_id, revision)
), held as materialized (
  select q.memory_id, q.revision <= a.revision as paid
  from izzie_memory.memory_sync q
  join applied a on a.memory_id = q.memory_id
  where q.target = $1
  order by q.memory_id
  for update of q skip locked
), struck as (
  delete from izzie_memory.memory_sync q using held
  where q.target = $1 and q.memory_id = held.memory_id and held.paid
  returning 1
), released as (
  update izzie_memory.memory_sync q set lease_token = null, lease_until = null
  from held
  where q.target = $1 and q.memory_id = held.memory_id and not held.paid
)
select (select count(*) from struck) as struck,
  (select count(*) from izzie_memory.memory_sync q join applied a on a.memory_id = q.memory_id
   where q.target = $1 and q.revision <= a.revision) as payable
