-- What holds of the application's table and this session. Ours are missing, or fire not for all writers.
select
  array(
    select w.name from unnest(array['izzie_memory_deleted', 'izzie_memory_inserted', 'izzie_memory_rewritten',
      'izzie_memory_truncated', 'izzie_memory_updated']) as w (name)
    where not exists (select from pg_catalog.pg_trigger t
      where t.tgrelid = 'public.memory_entries'::regclass and t.tgname = w.name and t.tgenabled in ('O', 'A'))
    order by w.name
  ) as silent_triggers,
  not izzie_memory.sees_all_rows() as hides_rows,
  array(select p.polname::text from pg_catalog.pg_policy p
    where p.polrelid = 'public.memory_entries'::regclass order by 1) as policies,
  array(select r.rulename::text from pg_catalog.pg_rewrite r
    where r.ev_class = 'public.memory_entries'::regclass and r.ev_enabled <> 'D' and r.ev_type in ('2', '3', '4')
    order by 1) as rules,
  current_setting('transaction_read_only')::boolean as read_only,
  array(
    select w.privilege from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) with ordinality as w (privilege, place)
    where not has_table_privilege('public.memory_entries', w.privilege)
    order by w.place
  ) as missing_privileges
