select count(*) filter (where q.state = 'pending') + izzie_memory.awaiting_adoption($2) as pending,
  count(*) filter (where q.state = 'dead') as dead,
  count(*) filter (where q.state = 'pending' and not s.deleted) as pending_live
from izzie_memory.memory_sync q
left join izzie_memory.memory_state s on s.memory_id = q.memory_id
where q.target = $1 and ($2::text is null or q.user_id = $2)
