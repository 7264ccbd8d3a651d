update izzie_memory.settings set rows_compared_to = $1
