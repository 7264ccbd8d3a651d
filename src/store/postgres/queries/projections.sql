select izzie_memory.projection(wanted.id)
from unnest($1::uuid[]) as wanted (id)
where exists (select from izzie_memory.memory_state s where s.memory_id = wanted.id)
