select wait_ms, done from izzie_memory.remove_retired($1, $2)
