select q.target, count(*) filter (where q.state = 'pending' and q.asked) as asked,
  count(*) filter (where q.state = 'pending' and not q.asked) as unasked, count(*) filter (where q.state = 'dead') as dead
from izzie_memory.memory_sync q
join izzie_memory.memory_state s on s.memory_id = q.memory_id and not s.deleted
where q.target in ('embedding', 'extraction') and ($1::text is null or q.user_id = $1)
group by q.target
