'use strict';

/*
 * Brings a database back to what it was when it had been migrated, without starting it again. What the migrations
 * wrote is kept beside, in a schema that nothing else knows.
 */

const REMEMBER = `
do $$
declare t record;
begin
  create schema izzie_memory_seed;
  for t in select tablename from pg_tables where schemaname = 'izzie_memory' loop
    execute format('create table izzie_memory_seed.%1$I as table izzie_memory.%1$I', t.tablename);
  end loop;
  create table izzie_memory_seed.sequence_values (name text, value bigint, called boolean);
  for t in select sequencename from pg_sequences where schemaname = 'izzie_memory' loop
    execute format('insert into izzie_memory_seed.sequence_values select %1$L, last_value, is_called from izzie_memory.%1$I',
                   t.sequencename);
  end loop;
end $$`;

// Without triggers: they would record a truncation. Generated columns cannot be given a value.
const RESET = `
begin;
set local session_replication_role = replica;
do $$
declare t record; columns text; anything boolean;
begin
  execute (select 'truncate public.memory_entries, ' || string_agg(format('izzie_memory.%I', tablename), ', ')
           from pg_tables where schemaname = 'izzie_memory');
  for t in select tablename from pg_tables where schemaname = 'izzie_memory' loop
    execute format('select exists (select from izzie_memory_seed.%I)', t.tablename) into anything;
    continue when not anything;
    select string_agg(quote_ident(attname), ', ') into columns from pg_attribute
    where attrelid = format('izzie_memory.%I', t.tablename)::regclass
      and attnum > 0 and not attisdropped and attgenerated = '';
    execute format('insert into izzie_memory.%1$I (%2$s) overriding system value select %2$s from izzie_memory_seed.%1$I',
                   t.tablename, columns);
  end loop;
  perform setval(format('izzie_memory.%I', name), value, called) from izzie_memory_seed.sequence_values;
end $$;
commit`;

module.exports = { REMEMBER, RESET };
