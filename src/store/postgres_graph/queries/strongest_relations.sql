with stated as (
  select r.from_key, r.to_key, r.type as kind, count(*) as weight
  from izzie_memory.graph_relations r
  join izzie_memory.graph_memories g on g.memory_id = r.memory_id and not g.detached
  where r.user_id = $1
  group by 1, 2, 3
), together as (
  select a.entity_key as from_key, b.entity_key as to_key, 'CO_OCCURS' as kind, count(*) as weight
  from izzie_memory.graph_mentions a
  join izzie_memory.graph_mentions b on b.memory_id = a.memory_id and b.entity_key > a.entity_key
  join izzie_memory.graph_memories g on g.memory_id = a.memory_id and not g.detached
  where a.user_id = $1
  group by 1, 2
  having count(*) >= 2
)
select f.type, f.name, t.type, t.name, x.kind, x.weight
from (select *, 0 as rank from stated union all select *, 1 from together) x
join izzie_memory.graph_entities f on f.key = x.from_key
join izzie_memory.graph_entities t on t.key = x.to_key
order by x.rank, x.weight desc, f.name, t.name, x.kind
limit $2
