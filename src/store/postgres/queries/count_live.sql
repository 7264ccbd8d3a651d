select count(*) from public.memory_entries e where not coalesce(e.is_deleted, false) and ($1::text is null or e.user_id = $1)
