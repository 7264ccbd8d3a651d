select izzie_memory.update_memory($1, izzie_memory.as_vector($2))
