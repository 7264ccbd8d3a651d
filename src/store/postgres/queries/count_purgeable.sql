select count(*) from izzie_memory.memory_state s
where s.deleted and s.content_hash is not null and s.changed_at < $1 and ($2::text is null or s.user_id = $2)
