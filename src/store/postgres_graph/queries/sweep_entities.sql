select izzie_memory.sweep_entities($1)
