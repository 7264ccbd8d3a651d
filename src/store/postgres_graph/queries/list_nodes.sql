select g.memory_id, g.user_id, g.epoch, g.revision, g.h1, g.h2, g.deleted, g.detached
from izzie_memory.graph_memories g
where ($1::text is null or g.user_id = $1)
  and ($2::uuid is null or g.memory_id > $2) and ($3::uuid is null or g.memory_id <= $3)
order by g.memory_id
limit $4
