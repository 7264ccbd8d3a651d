select izzie_memory.update_memory($1, $2)
