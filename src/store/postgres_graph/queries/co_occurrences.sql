with together as (
  select b.entity_key as key, count(*) as weight
  from izzie_memory.graph_mentions a
  join izzie_memory.graph_memories g on g.memory_id = a.memory_id and g.user_id = $1 and not g.deleted and not g.detached
  join izzie_memory.graph_mentions b on b.memory_id = a.memory_id and b.entity_key <> a.entity_key
  where a.entity_key = $2 and a.user_id = $1
  group by b.entity_key
)
select e.key, e.type, e.name, e.normalized, e.frequency, e.confidence, e.first_seen, e.last_seen,
  'CO_OCCURS' as relationship, 'none' as direction, x.weight, null::double precision as stated_with
from together x
join izzie_memory.graph_entities e on e.key = x.key and e.user_id = $1 and e.frequency > 0
where e.type = any ($3)
order by x.weight desc, e.normalized collate "C", e.type collate "C"
limit $4
