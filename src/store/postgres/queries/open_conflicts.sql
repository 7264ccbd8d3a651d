select c.memory_id from izzie_memory.conflicts c
where c.outcome = 'open' and ($1::text is null or c.user_id = $1)
  and ($2::uuid[] is null or c.memory_id = any ($2)) and ($3::uuid is null or c.memory_id > $3)
order by c.memory_id
limit $4
