select izzie_memory.store_memory($1, $2)
