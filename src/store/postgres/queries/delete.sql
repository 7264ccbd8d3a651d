select izzie_memory.delete_memory($1)
