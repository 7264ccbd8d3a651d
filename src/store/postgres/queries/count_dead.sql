select count(*) from izzie_memory.memory_sync q
where q.target = $1 and q.state = 'dead' and ($2::text is null or q.user_id = $2) and q.memory_id <> all ($3)
