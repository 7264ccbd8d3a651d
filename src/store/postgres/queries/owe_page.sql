select izzie_memory.owe_page($1, $2, $3, $4, $5)
