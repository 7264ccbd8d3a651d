with mine as (
  select m.conversation_id, m.importance, m.access_count
  from izzie_memory.memories m
  where m.user_id = $1 and not m.is_deleted
)
select count(*), coalesce(avg(importance), 0)::double precision, coalesce(sum(access_count), 0)::bigint,
  (select coalesce(jsonb_object_agg(conversation_id, n), '{}')
   from (select conversation_id, count(*) as n from mine where conversation_id is not null group by 1) c)
from mine
