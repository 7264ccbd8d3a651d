select izzie_memory.restore_memory($1)
