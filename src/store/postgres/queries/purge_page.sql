select izzie_memory.purge_page($1, $2, $3, $4)
