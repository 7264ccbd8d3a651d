select count(*) from izzie_memory.conflicts c where c.outcome = 'open'
