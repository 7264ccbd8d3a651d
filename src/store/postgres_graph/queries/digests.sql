select g.bucket, count(*) as count, sum(g.h1 % 4294967296)::bigint as h1, sum(g.h2 % 4294967296)::bigint as h2,
  sum(g.epoch % 4294967296)::bigint as epochs, sum(g.revision % 4294967296)::bigint as revisions
from izzie_memory.graph_memories g
where not g.deleted and not g.detached
group by g.bucket
