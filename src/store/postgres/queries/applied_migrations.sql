select version, checksum from izzie_memory.migrations
