-- Rows that were changed past the triggers (session_replication_role = replica, a restore with --disable-triggers, triggers
-- that were disabled): their states say something else. They are found by comparing both, and followed as if the triggers
-- had seen the change.

-- One page in id order of the rows and states (of a user) after an id that do not fit each other, and how: 'new' (no state),
-- 'changed', 'gone' (no row). `last`: where the next page begins, null after the last. What an adoption under way has still
-- to reach is not meant.
create or replace function izzie_memory.strayed_page(
  owner text, after uuid, page integer, out ids uuid[], out kinds text[], out last uuid
)
language plpgsql stable as $$
declare
  bound uuid;
  adopting boolean := exists (select from izzie_memory.jobs j where j.name = 'adopt');
begin
  if owner is null then
    last := least(
      (select e.id from public.memory_entries e where e.id > after order by e.id offset page - 1 limit 1),
      (select s.memory_id from izzie_memory.memory_state s where s.memory_id > after order by s.memory_id offset page - 1 limit 1));
  else
    last := least(
      (select e.id from public.memory_entries e where e.id > after and e.user_id = owner order by e.id offset page - 1 limit 1),
      (select s.memory_id from izzie_memory.memory_state s where s.memory_id > after and s.user_id = owner
       order by s.memory_id offset page - 1 limit 1));
  end if;
  bound := coalesce(last, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  select coalesce(array_agg(d.id order by d.id), '{}'), coalesce(array_agg(d.kind order by d.id), '{}') into ids, kinds
  from (
    select e.id, case when s.content_hash is null then 'new' else 'changed' end as kind
    from public.memory_entries e
    left join izzie_memory.memory_state s on s.memory_id = e.id
    where e.id > after and e.id <= bound and (owner is null or e.user_id = owner)
      and s.row_hash is distinct from izzie_memory.row_hash(e) and not (s.memory_id is null and adopting)
    union all
    select s.memory_id, case when e.id is null then 'gone' else 'changed' end
    from izzie_memory.memory_state s
    left join public.memory_entries e on e.id = s.memory_id
    where s.memory_id > after and s.memory_id <= bound and s.content_hash is not null
      and case when owner is null then e.id is null else s.user_id = owner and (e.id is null or e.user_id <> owner) end
  ) d;
  if cardinality(ids) > 0 then
    perform izzie_memory.must_see_all_rows();
  end if;
end $$;

-- A row's half of follow_rows; false: it fits its state.
create or replace function izzie_memory.follow_row(memory public.memory_entries) returns boolean
language plpgsql as $$
declare
  known izzie_memory.memory_state;
  is_new boolean;
  rewritten boolean;
begin
  select * into known from izzie_memory.memory_state s where s.memory_id = memory.id;
  if known.row_hash = izzie_memory.row_hash(memory) then
    return false;
  end if;
  is_new := known.content_hash is null;
  rewritten := not is_new and known.content_hash <> sha256(convert_to(memory.content, 'UTF8'));
  -- Nobody knows whether the vector was made of this content.
  if rewritten and memory.embedding is not null then
    update public.memory_entries e set embedding = null where e.id = memory.id;
    memory.embedding := null;
  end if;
  perform izzie_memory.memory_put(memory, is_new or known.brought_hash is distinct from izzie_memory.brought_hash(memory),
    is_new or rewritten);
  return true;
end $$;

-- Brings the states of these memories in step with their rows, and owes the graph what changed. Rows that others have
-- locked are left. Answers the memories that changed.
create or replace function izzie_memory.follow_rows(ids uuid[]) returns uuid[]
language plpgsql as $$
declare
  memory public.memory_entries;
  orphan record;
  followed uuid[] := '{}';
begin
  perform izzie_memory.must_see_all_rows();
  perform set_config('izzie_memory.write_context', '', true);
  for memory in select e.* from public.memory_entries e where e.id = any (ids) order by e.id for no key update skip locked loop
    if izzie_memory.follow_row(memory) then
      followed := followed || memory.id;
    end if;
  end loop;
  -- Whoever gives one of these ids a row waits for the state's lock; who did so before is seen after it.
  for orphan in
    select s.memory_id, s.user_id from izzie_memory.memory_state s
    where s.memory_id = any (ids) and s.content_hash is not null
      and not exists (select from public.memory_entries e where e.id = s.memory_id)
    order by s.memory_id for update
  loop
    if not exists (select from public.memory_entries e where e.id = orphan.memory_id) then
      perform izzie_memory.memory_gone(orphan.memory_id, orphan.user_id);
      followed := followed || orphan.memory_id;
    end if;
  end loop;
  return followed;
end $$;
