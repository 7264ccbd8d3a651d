select count(*) from izzie_memory.memory_state s
where s.user_id = $1 and (not s.deleted or $2 and s.content_hash is not null)
