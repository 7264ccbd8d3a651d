select izzie_memory.undo_write($1, $2, $3)
