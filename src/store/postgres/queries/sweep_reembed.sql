select izzie_memory.sweep_reembed($1)
