select count(*) from public.memory_entries
