select izzie_memory.write_batch($1, $2, izzie_memory.as_vectors($3))
