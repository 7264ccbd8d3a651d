-- What the role lacks on the objects that calls use. Functions are executed by everybody unless somebody revoked it.
with schema as (
  select n.oid from pg_catalog.pg_namespace n where n.nspname = 'izzie_memory'
), relations as (
  select c.oid, c.relkind, format('%s.%s', c.relnamespace::regnamespace, c.relname) as name, c.relname
  from pg_catalog.pg_class c
  where c.relnamespace = (select oid from schema) and c.relkind in ('r', 'S')
  union all
  select c.oid, c.relkind, format('public.%s', c.relname), c.relname
  from pg_catalog.pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relname = 'memory_entries'
), wanted as (
  select r.oid, r.name, privilege
  from relations r cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege
  where r.relkind = 'r' and (r.relname <> 'migrations' or privilege = 'SELECT')
), missing as (
  select 'schema izzie_memory' as object, 'USAGE' as privilege
  from schema s where not has_schema_privilege(s.oid, 'USAGE')
  union all
  select w.name, w.privilege from wanted w where not has_table_privilege(w.oid, w.privilege)
  union all
  select r.name, privilege from relations r cross join unnest(array['SELECT', 'USAGE']) privilege
  where r.relkind = 'S' and not has_sequence_privilege(r.oid, privilege)
  union all
  select format('function izzie_memory.%s', p.proname), 'EXECUTE' from pg_catalog.pg_proc p
  where p.pronamespace = (select oid from schema) and not has_function_privilege(p.oid, 'EXECUTE')
)
select format('%s on %s', string_agg(distinct m.privilege, ', '), m.object)
from missing m
group by m.object
order by m.object <> 'schema izzie_memory', m.object
