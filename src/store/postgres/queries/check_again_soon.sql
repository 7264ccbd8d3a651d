update izzie_memory.settings set last_check = last_check - $1 * 0.9 * interval '1 millisecond'
