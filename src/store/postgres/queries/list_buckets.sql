select s.memory_id, s.user_id, s.epoch, s.revision, s.h1, s.h2, s.deleted, s.detached
from izzie_memory.memory_state s
where s.bucket = any ($1) and not s.deleted and ($2::text is null or s.user_id = $2)
