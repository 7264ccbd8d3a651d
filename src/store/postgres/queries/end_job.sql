delete from izzie_memory.jobs where name = $1
