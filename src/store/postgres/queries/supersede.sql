select izzie_memory.supersede(n.id, n.owner, n.epoch, n.revision)
from (select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) as n (id, owner, epoch, revision)
      order by id) n
