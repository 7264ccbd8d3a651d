with revived as (
  update izzie_memory.memory_sync q
  set state = 'pending', attempts = 0, next_attempt_at = clock_timestamp()
  where ($1::uuid[] is null and q.state = 'dead')
    or (q.memory_id = any ($1) and (q.state = 'dead' or q.next_attempt_at > clock_timestamp()))
  returning 1
)
select count(*) from revived
