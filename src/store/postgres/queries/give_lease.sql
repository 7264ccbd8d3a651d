delete from izzie_memory.leases where name = $1 and holder = $2
