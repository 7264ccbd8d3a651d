update izzie_memory.settings set last_sync = clock_timestamp()
