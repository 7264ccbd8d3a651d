select count(*) from izzie_memory.memory_state s
where s.user_id = $1 and case when $2 then s.content_hash is not null else not s.deleted end
