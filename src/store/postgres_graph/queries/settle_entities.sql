select izzie_memory.settle_entities($1)
