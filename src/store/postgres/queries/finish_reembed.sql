select izzie_memory.finish_reembed($1)
