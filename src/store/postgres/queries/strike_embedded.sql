select izzie_memory.strike_embedded($1, $2)
