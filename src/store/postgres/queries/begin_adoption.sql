select izzie_memory.begin_adoption()
