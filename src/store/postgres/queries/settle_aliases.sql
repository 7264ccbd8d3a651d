select izzie_memory.settle_aliases($1)
