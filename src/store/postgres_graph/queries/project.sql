select memory_id, epoch, revision, outcome from izzie_memory.project($1)
