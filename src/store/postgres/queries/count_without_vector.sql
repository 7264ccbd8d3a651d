-- Live memories (of a user) without a vector in a space (null: the current one), save those that were given up.
select count(*)
from izzie_memory.without_vector(coalesce($1, izzie_memory.current_space()), $2, '00000000-0000-0000-0000-000000000000', null)
  as w (id)
where not exists (select from izzie_memory.memory_sync q
  where q.target = 'embedding' and q.memory_id = w.id and q.state = 'dead')
