select izzie_memory.store_memory($1, izzie_memory.as_vector($2))
