select izzie_memory.renew_page($1, $2)
