select p.projection from izzie_memory.projections p where p.memory_id = any ($1)
