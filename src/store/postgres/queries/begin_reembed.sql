select space, resumed from izzie_memory.begin_reembed($1, $2)
