with due as materialized (
  select q.memory_id
  from izzie_memory.memory_sync q
  where q.target = $1 and q.state = 'pending' and q.next_attempt_at <= clock_timestamp()
    and q.memory_id <> all ($2)
    and (q.lease_until is null or q.lease_until < clock_timestamp())
  order by q.next_attempt_at
  limit $5
  for update skip locked
)
update izzie_memory.memory_sync q
set lease_token = $3, lease_until = clock_timestamp() + $4 * interval '1 millisecond'
where q.target = $1 and q.memory_id = any (array(select memory_id from due))
returning q.memory_id
