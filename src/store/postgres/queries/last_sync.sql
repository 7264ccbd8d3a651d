select last_sync from izzie_memory.settings
