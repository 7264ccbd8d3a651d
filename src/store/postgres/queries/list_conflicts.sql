select c.id, c.memory_id, c.user_id, c.strategy, c.outcome, c.fields, c.vector, c.graph, c.detected_at, c.resolved_at
from izzie_memory.conflicts c
where ($1::boolean is null or (c.outcome = 'open') = $1)
  and ($2::text is null or c.user_id = $2) and ($3::bigint is null or c.id > $3)
order by c.id
limit $4
