-- $1 ids, $2 bytes of content: the first of them in id order whose contents come to so much, one at least.
with sized as (
  select e.id, sum(octet_length(e.content)) over (order by e.id) - octet_length(e.content) as before
  from public.memory_entries e
  where e.id = any ($1)
)
select p.projection
from izzie_memory.projections p
left join sized s on s.id = p.memory_id
where p.memory_id = any ($1) and coalesce(s.before, 0) < $2
