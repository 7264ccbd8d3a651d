select current_database()::text as database, current_user::text as role, current_setting('server_version') as version,
  pg_postmaster_start_time()::text as started,
  (select e.extversion from pg_catalog.pg_extension e where e.extname = 'vector') as vector,
  (select a.default_version from pg_catalog.pg_available_extensions a where a.name = 'vector') as vector_available,
  exists (
    select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'izzie_memory' and c.relname = 'migrations'
  ) as migrated,
  has_database_privilege(current_database(), 'CREATE') as may_create, getdatabaseencoding()::text as encoding
