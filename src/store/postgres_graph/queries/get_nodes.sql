select g.memory_id, g.user_id, g.epoch, g.revision, g.h1, g.h2, g.deleted, g.detached
from izzie_memory.graph_memories g
where g.memory_id = any ($1)
order by g.memory_id
