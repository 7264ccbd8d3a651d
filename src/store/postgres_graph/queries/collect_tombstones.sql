select izzie_memory.collect_tombstones($1, $2, $3)
