select izzie_memory.supersede($1, $2, $3, $4)
