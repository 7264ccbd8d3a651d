select written.id, izzie_memory.undo_write(written.id, written.revision, written.previous) as undone
from (select * from unnest($1::uuid[], $2::bigint[], $3::jsonb[]) as u (id, revision, previous) order by id) written
