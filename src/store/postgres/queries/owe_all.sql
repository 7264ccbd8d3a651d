with owed as (
  insert into izzie_memory.memory_sync as q (target, memory_id, user_id, revision)
  select $1, s.memory_id, s.user_id, s.revision
  from izzie_memory.memory_state s
  where ($2::text is null or s.user_id = $2) and ($3::uuid[] is null or s.memory_id = any ($3))
  order by s.memory_id
  on conflict (target, memory_id) do update
  set revision = greatest(q.revision, excluded.revision), attempts = 0, state = 'pending',
      next_attempt_at = clock_timestamp(), last_error = null
  returning 1
)
select count(*) from owed
