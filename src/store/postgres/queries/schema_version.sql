select max(version) from izzie_memory.migrations where success
