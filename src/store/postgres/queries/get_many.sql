select m.*
from unnest($1::uuid[]) with ordinality as wanted (id, place)
join izzie_memory.memories m on m.id = wanted.id
where not m.is_deleted and ($2::text is null or m.user_id = $2)
order by wanted.place
