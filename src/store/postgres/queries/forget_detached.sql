with detached as materialized (
  select s.memory_id from izzie_memory.memory_state s
  where s.detached and ($1::text is null or s.user_id = $1)
  order by s.memory_id for update
)
update izzie_memory.memory_state s
set detached = false, revision = nextval('izzie_memory.revision_seq'), changed_at = clock_timestamp()
from detached
where s.memory_id = detached.memory_id
