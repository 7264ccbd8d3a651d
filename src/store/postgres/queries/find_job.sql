select name, phase, begun_at from izzie_memory.jobs where name = $1
