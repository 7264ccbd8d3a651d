select izzie_memory.follow_rows($1)
