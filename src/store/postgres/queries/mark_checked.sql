update izzie_memory.settings set last_clean_check = greatest(last_clean_check, $1)
