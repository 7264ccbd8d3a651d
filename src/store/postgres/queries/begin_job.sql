select name, phase, begun_at from izzie_memory.begin_job($1, $2)
