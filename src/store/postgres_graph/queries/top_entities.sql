-- Type by type, for each is read from the index in its order.
select e.key, e.type, e.name, e.normalized, e.frequency, e.confidence, e.first_seen, e.last_seen
from unnest($2::text[]) as wanted (type)
cross join lateral (
  select * from izzie_memory.graph_entities e
  where e.user_id = $1 and e.type = wanted.type and e.frequency > 0
  order by e.frequency desc, e.normalized collate "C" limit $3
) e
order by e.frequency desc, e.normalized collate "C", e.type collate "C"
limit $3
