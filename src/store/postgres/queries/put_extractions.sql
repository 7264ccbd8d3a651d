select izzie_memory.put_extractions($1, $2)
