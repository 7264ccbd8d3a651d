select izzie_memory.known_as($1, $2, $3)
