update izzie_memory.jobs set phase = $3, after = null where name = $1 and begun_at = $2
