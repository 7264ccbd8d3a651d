-- Debts are met by their keys (`= any`), never by a join: that would be planned by statistics, and those of a queue are always
-- old. It took two seconds for 500 of 10,000 where there were none for the target.
with applied as (
  select * from unnest($2::uuid[], $3::bigint[]) as a (memory_id, revision)
), held as materialized (
  select q.memory_id, q.revision <= a.revision as paid
  from izzie_memory.memory_sync q
  join applied a on a.memory_id = q.memory_id
  where q.target = $1 and q.memory_id = any ($2)
  order by q.memory_id
  for update of q skip locked
), struck as (
  delete from izzie_memory.memory_sync q
  where q.target = $1 and q.memory_id = any (array(select memory_id from held where paid))
  returning 1
), released as (
  update izzie_memory.memory_sync q set lease_token = null, lease_until = null
  where q.target = $1 and q.memory_id = any (array(select memory_id from held where not paid))
)
select (select count(*) from struck) as struck,
  (select count(*) from izzie_memory.memory_sync q join applied a on a.memory_id = q.memory_id
   where q.target = $1 and q.memory_id = any ($2) and q.revision <= a.revision) as payable
