select m.* from izzie_memory.read_memory($1, $2) m
