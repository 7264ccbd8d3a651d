select izzie_memory.owe_missing_page($1, $2, $3)
