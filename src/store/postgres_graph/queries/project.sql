select memory_id, epoch, revision, applied from izzie_memory.project($1)
