-- $1 user, $2 conversation, $3 since, $4 until, $5 and $6 the last memory of the page before, $7 limit
select m.*
from izzie_memory.memories m
where m.user_id = $1 and not m.is_deleted and ($2::text is null or m.conversation_id = $2)
  and ($3::timestamptz is null or m.created_at >= $3) and ($4::timestamptz is null or m.created_at < $4)
  and ($5::timestamptz is null or m.created_at < $5 or m.created_at = $5 and m.id > $6)
order by m.created_at desc, m.id
limit $7
