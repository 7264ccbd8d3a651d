select izzie_memory.switch_space($1, $2)
