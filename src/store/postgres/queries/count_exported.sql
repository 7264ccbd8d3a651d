-- $1 user, $2 soft-deleted ones too. How many memories there are, and how many more that no adoption has reached.
select (select count(*) from izzie_memory.memory_state s
        where s.user_id = $1 and (not s.deleted or $2 and s.content_hash is not null)),
  (select count(*) from public.memory_entries e
   where e.user_id = $1 and ($2 or not coalesce(e.is_deleted, false))
     and not exists (select from izzie_memory.memory_state s where s.memory_id = e.id))
