select g.memory_id, g.user_id, g.epoch, g.revision, g.h1, g.h2, g.deleted, g.detached
from izzie_memory.graph_memories g
where g.bucket = any ($1) and not g.deleted and not g.detached and ($2::text is null or g.user_id = $2)
