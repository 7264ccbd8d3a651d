select count(*) from izzie_memory.memory_state s where not s.deleted and izzie_memory.has_vector(s.memory_id, $1)
