with held as materialized (
  select q.memory_id
  from izzie_memory.memory_sync q
  where q.target = $1 and q.lease_token = $2 and q.memory_id = any ($3)
  order by q.memory_id
  for update skip locked
)
update izzie_memory.memory_sync q
set lease_token = null, lease_until = null, last_error = coalesce($6, q.last_error),
    attempts = q.attempts + case when $4::integer is null then 0 else 1 end,
    state = case when q.attempts + 1 >= $4 then 'dead' else 'pending' end,
    next_attempt_at = clock_timestamp() + $7 * interval '1 millisecond'
      + random() * least($5 * power(2, least(q.attempts, 20)), 300000) * interval '1 millisecond'
where q.target = $1 and q.memory_id = any (array(select memory_id from held))
returning q.state
