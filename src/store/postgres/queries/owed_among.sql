select q.memory_id from izzie_memory.memory_sync q where q.target = $1 and q.memory_id = any ($2) and q.state = $3
