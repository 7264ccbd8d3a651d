select s.bucket, count(*) as count, sum(s.h1)::bigint as h1, sum(s.h2)::bigint as h2,
  sum(s.epoch % 4294967296)::bigint as epochs, sum(s.revision % 4294967296)::bigint as revisions
from izzie_memory.memory_state s
where not s.deleted
group by s.bucket
