select max(version) from izzie_memory.migrations
