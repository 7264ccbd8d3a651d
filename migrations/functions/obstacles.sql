-- What other code has put on the application's table: it may keep a write of ours from taking effect, or rows out of sight.

-- Names the triggers before an 'insert', 'update' or 'delete', the rules instead of it, and the policies that this role is
-- under. Null: there is none.
create or replace function izzie_memory.obstacles(event text) returns text
language sql stable as $$
  select string_agg(o.name, ', ' order by o.name)
  from (
    select format('trigger %I', t.tgname) as name
    from pg_catalog.pg_trigger t
    where t.tgrelid = 'public.memory_entries'::regclass and not t.tgisinternal and t.tgenabled <> 'D'
      and t.tgname !~ '^izzie_memory_'
      -- bits of pg_trigger: 1 for each row, 2 before, 4 insert, 8 delete, 16 update
      and (t.tgtype & 3) = 3
      and (t.tgtype & case event when 'insert' then 4 when 'delete' then 8 else 16 end) > 0
    union all
    select format('rule %I', r.rulename)
    from pg_catalog.pg_rewrite r
    where r.ev_class = 'public.memory_entries'::regclass and r.ev_enabled <> 'D'
      and r.ev_type = case event when 'update' then '2' when 'insert' then '3' else '4' end
    union all
    select format('policy %I', p.polname)
    from pg_catalog.pg_policy p
    where p.polrelid = 'public.memory_entries'::regclass and row_security_active('public.memory_entries')
  ) o
$$;

-- Names the triggers that may change a row again after it was written.
create or replace function izzie_memory.late_triggers() returns text
language sql stable as $$
  select string_agg(format('trigger %I', t.tgname), ', ' order by t.tgname)
  from pg_catalog.pg_trigger t
  where t.tgrelid = 'public.memory_entries'::regclass and not t.tgisinternal and t.tgenabled <> 'D'
    and t.tgname !~ '^izzie_memory_' and (t.tgtype & 2) = 0
$$;

-- Ends a write that did not take effect: what is acknowledged must be there.
create or replace function izzie_memory.not_kept(event text, problem text) returns void
language plpgsql as $$
declare
  names text := coalesce(izzie_memory.obstacles(event), izzie_memory.late_triggers());
begin
  raise exception 'memory_entries: %', problem || case when names is null
      then '; something on the table changes what is written, and must let the rows of izzie-memory through'
      else format('; on the table stands %s, which must let the rows of izzie-memory through', names) end
    using errcode = 'IZ001', detail = coalesce(names, '');
end $$;

-- Whether an error of one write of several is that write's own: what the application's rules, triggers and policies refuse.
-- Contention, lack of resources and the end of a session are everybody's.
create or replace function izzie_memory.is_own_error(sqlstate text) returns boolean
language sql immutable parallel safe as $$
  select left(sqlstate, 2) not in ('08', '25', '40', '53', '57', '58', 'XX') and sqlstate <> '55P03'
$$;

-- Whether row security hides no row of the application's table from this role, and refuses none of its writes: it is not
-- active, or policies without a condition let the role through.
create or replace function izzie_memory.sees_all_rows() returns boolean
language sql stable as $$
  select not row_security_active('public.memory_entries') or coalesce((
    select bool_and(p.polpermissive)
      and bool_or(p.polcmd in ('*', 'r') and p.shown) and bool_or(p.polcmd in ('*', 'a') and p.let)
      and bool_or(p.polcmd in ('*', 'w') and p.shown and p.let) and bool_or(p.polcmd in ('*', 'd') and p.shown)
    from (
      select l.polpermissive, l.polcmd,
        coalesce(pg_get_expr(l.polqual, l.polrelid) = 'true', false) as shown,
        coalesce(pg_get_expr(l.polwithcheck, l.polrelid), pg_get_expr(l.polqual, l.polrelid)) = 'true' as let
      from pg_catalog.pg_policy l
      where l.polrelid = 'public.memory_entries'::regclass
        and exists (select from unnest(l.polroles) r where r = 0 or pg_has_role(current_user, r, 'USAGE'))
    ) p), false)
$$;

-- What compares all rows with all states must not take a hidden row for a deleted one.
create or replace function izzie_memory.must_see_all_rows() returns void
language plpgsql as $$
begin
  if not izzie_memory.sees_all_rows() then
    raise exception 'row security on public.memory_entries hides rows from role %', current_user
      using errcode = 'IZ002', detail = coalesce(izzie_memory.obstacles('select'), '');
  end if;
end $$;
