select izzie_memory.raise_epoch($1)
