select s.memory_id, s.epoch, s.revision
from izzie_memory.memory_state s, izzie_memory.settings g
where s.deleted and not s.detached and s.content_hash is null
  and s.changed_at < least(g.last_clean_check, clock_timestamp() - $1 * interval '1 millisecond')
  and not exists (select from izzie_memory.memory_sync q where q.memory_id = s.memory_id)
order by s.changed_at
limit $2
