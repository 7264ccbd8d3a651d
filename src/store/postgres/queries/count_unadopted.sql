select izzie_memory.count_unadopted()
