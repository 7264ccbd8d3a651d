select s.changed_at from izzie_memory.memory_state s where s.memory_id = $1
