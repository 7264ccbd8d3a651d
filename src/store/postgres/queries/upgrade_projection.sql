select izzie_memory.upgrade_projection($1, $2)
