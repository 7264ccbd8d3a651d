select q.memory_id, q.user_id, q.target, q.state, q.revision, q.attempts, q.next_attempt_at,
  case when q.lease_until > clock_timestamp() then q.lease_until end as leased_until, q.last_error, q.owed_at
from izzie_memory.memory_sync q
where ($1::text is null or q.state = $1) and ($2::text[] is null or q.target = any ($2)) and ($3::text is null or q.user_id = $3)
  and (q.target, q.memory_id) > ($4, $5)
order by q.target, q.memory_id
limit $6
