select s.memory_id, s.user_id, s.epoch, s.revision, s.h1, s.h2, s.deleted, s.detached
from izzie_memory.memory_state s
where ($1::text is null or s.user_id = $1)
  and ($2::uuid is null or s.memory_id > $2) and ($3::uuid is null or s.memory_id <= $3)
order by s.memory_id
limit $4
