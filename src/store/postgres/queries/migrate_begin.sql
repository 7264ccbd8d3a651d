-- One migration at a time. What it waits for holds up everybody who comes behind it: not for long.
select pg_advisory_xact_lock(hashtextextended('izzie_memory', 0));
set local lock_timeout = '500ms';
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
