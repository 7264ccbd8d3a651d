select s.memory_id, s.user_id, s.epoch, s.revision, s.h1, s.h2, s.deleted, s.detached
from izzie_memory.memory_state s
where s.memory_id = any ($1)
order by s.memory_id
