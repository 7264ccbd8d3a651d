select izzie_memory.must_see_all_rows()
