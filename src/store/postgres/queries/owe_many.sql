select izzie_memory.owe_many($1, $2)
