select izzie_memory.settle_conflict($1)
