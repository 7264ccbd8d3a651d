select izzie_memory.put_vectors($1, $2, $3, izzie_memory.as_vectors($4), $5)
