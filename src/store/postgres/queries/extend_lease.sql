update izzie_memory.memory_sync q
set lease_until = clock_timestamp() + $4 * interval '1 millisecond'
where q.target = $1 and q.lease_token = $2 and q.memory_id = any (array(
  select l.memory_id from izzie_memory.memory_sync l
  where l.target = $1 and l.lease_token = $2 and l.memory_id = any ($3)
  order by l.memory_id
  for update skip locked))
