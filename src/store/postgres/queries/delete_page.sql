select removed, kept, last from izzie_memory.delete_page($1, $2, $3, $4, $5)
