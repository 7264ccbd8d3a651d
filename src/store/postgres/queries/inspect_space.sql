select s.model, s.dimensions,
  exists (select from izzie_memory.embedding_spaces f where f.filling)
    or s.in_app_column and exists (select from public.memory_entries e where e.embedding is not null)
    or exists (select from izzie_memory.memory_vectors v where v.space_id = s.space_id) as holds_vectors
from izzie_memory.embedding_spaces s
where s.current
