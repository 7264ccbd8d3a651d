select izzie_memory.forget_user($1)
