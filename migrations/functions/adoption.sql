-- Rows that have no state: written before the triggers came, or past them (a restore with triggers disabled).
create or replace function izzie_memory.count_unadopted() returns bigint
language sql stable as $$
  select count(*) from public.memory_entries e
  where not exists (select from izzie_memory.memory_state s where s.memory_id = e.id)
$$;

-- How many of these rows (of a user) an adoption that is under way has still to reach.
create or replace function izzie_memory.awaiting_adoption(owner text) returns bigint
language plpgsql stable as $$
begin
  if not exists (select from izzie_memory.jobs j where j.name = 'adopt') then
    return 0;
  end if;
  return (select count(*) from public.memory_entries e
    where (owner is null or e.user_id = owner)
      and not exists (select from izzie_memory.memory_state s where s.memory_id = e.id));
end $$;

-- Begins the job `adopt` if there is anything to do, or finds it where it stopped. Answers how many rows have no state.
create or replace function izzie_memory.begin_adoption() returns bigint
language plpgsql as $$
declare
  unadopted bigint := izzie_memory.count_unadopted();
begin
  if unadopted > 0 then
    perform izzie_memory.begin_job('adopt', 'adopt');
  end if;
  return unadopted;
end $$;

-- Gives a row its state and a debt to the graph, unless it has one: it may have been written while its lock was waited for.
create or replace function izzie_memory.adopt_row(memory public.memory_entries) returns void
language plpgsql as $$
begin
  if not exists (select from izzie_memory.memory_state s where s.memory_id = memory.id) then
    perform izzie_memory.memory_put(memory, true, true);
  end if;
end $$;

-- The same in a subtransaction of its own. Answers why it was refused, null if it was not.
create or replace function izzie_memory.adopt_apart(memory public.memory_entries) returns jsonb
language plpgsql as $$
declare
  state text;
  problem text;
begin
  perform izzie_memory.adopt_row(memory);
  return null;
exception when integrity_constraint_violation or data_exception or program_limit_exceeded or raise_exception then
  get stacked diagnostics state = returned_sqlstate, problem = message_text;
  return jsonb_build_object('id', memory.id, 'sqlstate', state, 'message', problem);
end $$;

-- Adopts those of these rows that nobody has locked; one by one, if one of them is refused. Answers the refusals.
create or replace function izzie_memory.adopt_rows(ids uuid[]) returns jsonb
language plpgsql as $$
begin
  perform izzie_memory.adopt_row(e)
  from (select m.* from public.memory_entries m where m.id = any (ids) order by m.id for no key update skip locked) e;
  return '[]';
exception when integrity_constraint_violation or data_exception or program_limit_exceeded or raise_exception then
  return (select coalesce(jsonb_agg(r.refusal) filter (where r.refusal is not null), '[]')
    from (select izzie_memory.adopt_apart(e) as refusal
          from (select m.* from public.memory_entries m where m.id = any (ids) order by m.id for no key update skip locked) e) r);
end $$;

-- The next rows of the application's table in id order: at most `page`, and contents of little more than a megabyte, for
-- they are locked while they are adopted.
create or replace function izzie_memory.app_page(after uuid, page integer) returns uuid[]
language sql stable as $$
  select array_agg(p.id order by p.id)
  from (
    select e.id, sum(octet_length(e.content)) over (order by e.id) - octet_length(e.content) as bytes_before
    from (select m.id, m.content from public.memory_entries m
          where m.id >= coalesce(after, '00000000-0000-0000-0000-000000000000') and m.id is distinct from after
          order by m.id limit page) e
  ) p
  where p.bytes_before < 1000000
$$;

-- Those of these rows that have no state.
create or replace function izzie_memory.unadopted(ids uuid[]) returns uuid[]
language sql stable as $$
  select array(select e.id from public.memory_entries e
    where e.id = any (ids) and not exists (select from izzie_memory.memory_state s where s.memory_id = e.id) order by e.id)
$$;

-- Adopts what has no state in the next page of the job `adopt`, and notes how far it is. Waits for no row: those that others
-- have locked are met again, in another pass. Answers how many were adopted, which were refused, and what is left: 'more'
-- pages, 'locked' rows, with which the next pass begins, or nothing ('done').
create or replace function izzie_memory.adopt_page(page integer, out adopted bigint, out refused jsonb, out rest text)
language plpgsql as $$
declare
  job izzie_memory.jobs;
  ids uuid[];
  unadopted uuid[];
  skipped uuid[];
begin
  select * into job from izzie_memory.jobs j where j.name = 'adopt' for update;
  ids := case when found then izzie_memory.app_page(job.after, page) end;
  unadopted := izzie_memory.unadopted(ids);
  refused := izzie_memory.adopt_rows(unadopted);
  skipped := izzie_memory.unadopted(unadopted);
  adopted := cardinality(unadopted) - cardinality(skipped);
  rest := case when ids is not null then 'more' when job.phase = 'locked' then 'locked' else 'done' end;
  if ids is not null then
    update izzie_memory.jobs j
    set after = ids[cardinality(ids)],
        phase = case when cardinality(skipped) > jsonb_array_length(refused) then 'locked' else j.phase end
    where j.name = 'adopt';
  elsif rest = 'locked' then
    update izzie_memory.jobs j set after = null, phase = 'adopt' where j.name = 'adopt';
  else
    delete from izzie_memory.jobs j where j.name = 'adopt';
  end if;
end $$;
