select file, version, checksum from izzie_memory.functions
