select izzie_memory.write_batch($1, $2, $3)
