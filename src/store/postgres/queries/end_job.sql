delete from izzie_memory.jobs where name = $1 and begun_at = $2
