with due as materialized (
  select q.memory_id
  from izzie_memory.memory_sync q
  where q.target = $1 and q.state = 'pending'
    and ($2::text is null or q.user_id = $2)
    and ($3::uuid[] is null or q.memory_id = any ($3))
    and q.memory_id <> all ($4)
    and (q.lease_until is null or q.lease_until < clock_timestamp())
  order by q.memory_id
  limit $7
  for update skip locked
)
update izzie_memory.memory_sync q
set lease_token = $5, lease_until = clock_timestamp() + $6 * interval '1 millisecond'
where q.target = $1 and q.memory_id = any (array(select memory_id from due))
returning q.memory_id
