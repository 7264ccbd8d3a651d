select izzie_memory.restart_job($1, $2)
