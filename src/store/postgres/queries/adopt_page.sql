select adopted, refused, rest from izzie_memory.adopt_page(100)
