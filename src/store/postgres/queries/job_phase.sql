update izzie_memory.jobs set phase = $2, after = null where name = $1
