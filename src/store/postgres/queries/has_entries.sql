select to_regclass('public.memory_entries') is not null
