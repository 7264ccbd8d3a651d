select ids, kinds, last from izzie_memory.strayed_page($1, $2, $3)
