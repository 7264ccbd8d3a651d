select izzie_memory.adopt($1, $2)
