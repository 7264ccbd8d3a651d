set transaction isolation level read committed;
-- Whatever the role, the database or the server has.
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;
set local statement_timeout = '30min';
set local idle_in_transaction_session_timeout = 0;
-- Where an extension is made that is missing.
set local search_path = public;
do $$
begin
  if getdatabaseencoding() <> 'UTF8' then
    raise exception 'the database % has the encoding %, izzie-memory needs UTF8: make one with: create database NAME encoding ''UTF8'' template template0',
      current_database(), getdatabaseencoding() using errcode = 'IZ003';
  end if;
end $$;
-- One migration at a time. What it waits for holds up everybody who comes behind it: not for long.
select pg_advisory_xact_lock(hashtextextended('izzie_memory', 0));
set local lock_timeout = '500ms';
create extension if not exists vector;
-- It may lie in a schema that this role does not look in.
select set_config('search_path', (
  select quote_ident(n.nspname) || ', public'
  from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'vector'), true);
create schema if not exists izzie_memory;
create table if not exists izzie_memory.migrations (
  version     bigint primary key,
  description text not null,
  checksum    text not null,
  applied_at  timestamptz not null default now()
);
create table if not exists izzie_memory.functions (
  file       text primary key,
  version    bigint not null,
  checksum   text not null,
  applied_at timestamptz not null default now()
);
