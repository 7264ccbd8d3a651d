with stated as (
  select r.to_key as key, r.type, 'out' as direction, r.memory_id, r.confidence
  from izzie_memory.graph_relations r where r.from_key = $2
  union all
  select r.from_key, r.type, 'in', r.memory_id, r.confidence
  from izzie_memory.graph_relations r where r.to_key = $2
)
select e.key, e.type, e.name, e.normalized, e.frequency, e.confidence, e.first_seen, e.last_seen,
  x.type as relationship, x.direction, count(*) as weight, max(x.confidence) as stated_with
from stated x
join izzie_memory.graph_memories g on g.memory_id = x.memory_id and g.user_id = $1 and not g.deleted and not g.detached
join izzie_memory.graph_entities e on e.key = x.key and e.user_id = $1
where x.key <> $2 and e.type = any ($3) and x.type = any ($4)
group by e.key, x.type, x.direction
order by weight desc, e.normalized collate "C", e.type collate "C", x.type collate "C", x.direction collate "C" desc
limit $5
