select izzie_memory.take_lease($1, $2, $3)
