-- Live memories (of a user) without a vector in the current space, save those that were given up.
select count(*)
from izzie_memory.memory_state s
where not s.deleted and ($1::text is null or s.user_id = $1)
  and not izzie_memory.has_vector(s.memory_id, izzie_memory.current_space())
  and not exists (select from izzie_memory.memory_sync q
    where q.target = 'embedding' and q.memory_id = s.memory_id and q.state = 'dead')
