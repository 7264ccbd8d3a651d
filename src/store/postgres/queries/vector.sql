select case when $2 = 1 then (select e.embedding::real[] from public.memory_entries e where e.id = $1)
  else (select v.embedding::real[] from izzie_memory.memory_vectors v where v.memory_id = $1 and v.space_id = $2) end
