-- How many triggers of ours are missing or disabled.
select 5 - count(*) from pg_catalog.pg_trigger t
where t.tgrelid = 'public.memory_entries'::regclass and t.tgenabled in ('O', 'A')
  and t.tgname in ('izzie_memory_deleted', 'izzie_memory_inserted', 'izzie_memory_rewritten', 'izzie_memory_truncated',
    'izzie_memory_updated')
