select m.*
from izzie_memory.memories m
where m.user_id = $1 and not m.is_deleted and ($2::text is null or m.conversation_id = $2)
order by m.created_at desc, m.id
limit $3
