select izzie_memory.strike_vectorless($1, $2, $3)
