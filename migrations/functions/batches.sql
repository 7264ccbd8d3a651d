-- Writes of many memories in one statement.

drop function if exists izzie_memory.delete_page(text, boolean, text, uuid, integer);

-- One write of a batch: kind 'store' or 'delete'.
create or replace function izzie_memory.write_one(kind text, request jsonb, embedding vector) returns jsonb
language plpgsql as $$
begin
  if kind = 'store' then
    return izzie_memory.insert_memory(request, embedding);
  end if;
  return izzie_memory.remove_memory(request);
end $$;

-- The same in a subtransaction of its own: what the application's own rules refuse (foreign keys, checks, triggers) is
-- this write's error, {error: {sqlstate, message, detail, table, constraint}}. Contention and lack of resources are everybody's.
create or replace function izzie_memory.write_apart(kind text, request jsonb, embedding vector) returns jsonb
language plpgsql as $$
declare
  refusal jsonb;
  state text;
  problem text;
  concerned text;
  rule_table text;
  rule text;
  place text;
  outcome jsonb;
begin
  set constraints all deferred;
  outcome := izzie_memory.write_one(kind, request, embedding);
  -- What would only be refused at the commit is this write's error too.
  set constraints all immediate;
  return outcome;
exception when others then
  get stacked diagnostics state = returned_sqlstate, problem = message_text, concerned = pg_exception_detail,
    rule_table = table_name, rule = constraint_name, place = pg_exception_context;
  if not izzie_memory.is_own_error(state) then
    raise;
  end if;
  refusal := jsonb_build_object('sqlstate', state, 'message', problem, 'detail', concerned, 'table', rule_table,
    'constraint', rule, 'context', place);
  return jsonb_build_object('error', refusal);
end $$;

-- In id order, so that two batches cannot deadlock; they arrive, and are answered, in the order sent.
create or replace function izzie_memory.write_each(kind text, requests jsonb, embeddings vector[], apart boolean) returns jsonb[]
language plpgsql as $$
declare
  outcomes jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(requests)]);
  arrivals bigint[] := array(select nextval('izzie_memory.arrival_seq') from jsonb_array_elements(requests));
  item record;
begin
  for item in
    select request, place::integer as place
    from jsonb_array_elements(requests) with ordinality as r (request, place)
    order by (request ->> 'id')::uuid, place
  loop
    perform set_config('izzie_memory.arrival', arrivals[item.place]::text, true);
    outcomes[item.place] := case when apart
      then izzie_memory.write_apart(kind, item.request, embeddings[item.place])
      else izzie_memory.write_one(kind, item.request, embeddings[item.place]) end;
  end loop;
  return outcomes;
end $$;

-- Projects these memories where the graph lies in this database.
create or replace function izzie_memory.project_inline(ids uuid[]) returns void
language plpgsql as $$
begin
  if cardinality(ids) > 0 and exists (select from izzie_memory.graph_targets t where t.current and t.kind = 'postgres') then
    perform izzie_memory.project((select jsonb_agg(p.projection) from izzie_memory.projections p where p.memory_id = any (ids)));
  end if;
end $$;

-- As project_inline, where the writer cannot say which of them the graph refuses: the queue finds out, and the others go
-- through.
create or replace function izzie_memory.project_or_owe(ids uuid[]) returns void
language plpgsql as $$
begin
  perform izzie_memory.project_inline(ids);
exception when integrity_constraint_violation or data_exception or program_limit_exceeded or raise_exception then
  perform izzie_memory.owe_many((select t.target from izzie_memory.graph_targets t where t.current), ids);
end $$;

-- kind 'store': requests as of store_memory, with an embedding or null each; 'delete': as of delete_memory.
-- Answers a list of what that function answers (of a delete without the memory), or {error}. Thousands of
-- subtransactions slow the whole server down, so they are made only when a write is refused.
create or replace function izzie_memory.write_batch(kind text, requests jsonb, embeddings vector[]) returns jsonb
language plpgsql as $$
declare
  outcomes jsonb[];
  graph izzie_memory.graph_targets;
begin
  begin
    outcomes := izzie_memory.write_each(kind, requests, embeddings, false);
    -- At the commit it would be too late to tell whose write is refused.
    set constraints all immediate;
  exception when others then
    if not izzie_memory.is_own_error(sqlstate) then
      raise;
    end if;
    outcomes := izzie_memory.write_each(kind, requests, embeddings, true);
  end;
  perform set_config('izzie_memory.write_context', '', true);
  perform set_config('izzie_memory.arrival', '', true);
  perform izzie_memory.project_inline(array(
    select distinct (request ->> 'id')::uuid
    from rows from (jsonb_array_elements(requests), unnest(outcomes)) as w (request, outcome)
    where request ->> 'owe' = 'inline' and 'true' in (outcome ->> 'created', outcome ->> 'found')));
  select * into graph from izzie_memory.graph_targets t where t.current;
  return (
    select jsonb_agg(case
        when outcome ?| '{error,conflict}' or outcome -> 'found' = 'false' then outcome
        else outcome || jsonb_build_object(
          'memory', case when kind = 'store' then (select to_jsonb(m) from izzie_memory.memories m where m.id = sent.id) end,
          'projection', izzie_memory.projection(sent.id), 'target', graph.target,
          'owed', exists (select from izzie_memory.memory_sync q where q.target = graph.target and q.memory_id = sent.id))
      end order by place)
    from rows from (jsonb_array_elements(requests), unnest(outcomes)) with ordinality as w (request, outcome, place),
      lateral (select (request ->> 'id')::uuid as id) sent);
end $$;

-- How many of these rows there are, or those of them that are live.
create or replace function izzie_memory.count_rows(ids uuid[], all_rows boolean) returns bigint
language sql volatile as $$
  select count(*) from public.memory_entries e
  where e.id = any (ids) and (all_rows or not coalesce(e.is_deleted, false))
$$;

-- Removes the rows of these memories, whose rows are locked. Answers how many, fewer than there are where something on the
-- table keeps them.
create or replace function izzie_memory.remove_rows(ids uuid[], hard boolean, owe text) returns bigint
language plpgsql as $$
declare
  before bigint;
begin
  perform from izzie_memory.memory_state s where s.memory_id = any (ids) order by s.memory_id for update;
  before := izzie_memory.count_rows(ids, hard);
  if hard then
    delete from public.memory_entries e where e.id = any (ids);
    perform izzie_memory.memory_gone(s.memory_id, s.user_id)
    from izzie_memory.memory_state s
    where s.memory_id = any (ids) and s.content_hash is not null
      and izzie_memory.sees_all_rows() and not exists (select from public.memory_entries e where e.id = s.memory_id);
  else
    update public.memory_entries e set is_deleted = true, updated_at = clock_timestamp() at time zone 'UTC'
    where e.id = any (ids) and not coalesce(e.is_deleted, false);
    perform izzie_memory.ensure_state('update', e)
    from public.memory_entries e where e.id = any (ids) and e.is_deleted;
  end if;
  if owe = 'paged' then
    perform izzie_memory.project_inline(ids);
  end if;
  -- Not how many were deleted: a trigger may have put them back.
  return before - izzie_memory.count_rows(ids, hard);
end $$;

-- One page of the removal of a user's memories, in id order after a cursor: soft-deletes the live ones, or removes all
-- rows. `last` is where the next page begins, null when nothing is left after the cursor; `kept`: so many rows withstood.
create or replace function izzie_memory.delete_page(
  owner text, hard boolean, owe text, after uuid, page integer, out removed bigint, out kept bigint, out last uuid
)
language plpgsql as $$
declare
  ids uuid[];
begin
  perform izzie_memory.begin_write(jsonb_build_object('memoryId', '*', 'owe', owe));
  ids := array(select s.memory_id from izzie_memory.memory_state s
    where s.user_id = owner and (after is null or s.memory_id > after)
      and case when hard then s.content_hash is not null else not s.deleted end
    order by s.memory_id limit page);
  last := ids[cardinality(ids)];
  perform from public.memory_entries e where e.id = any (ids) order by e.id for update;
  -- Looked at again now that nobody can change them: a row may have gone to another user while its lock was waited for.
  ids := array(select s.memory_id from izzie_memory.memory_state s
    where s.memory_id = any (ids) and s.user_id = owner
      and case when hard then s.content_hash is not null else not s.deleted end);
  removed := izzie_memory.remove_rows(ids, hard, owe);
  kept := izzie_memory.count_rows(ids, hard);
end $$;

-- Removes a page of the rows that were soft-deleted before a moment, oldest first. Nodes that were kept in the graph
-- (cascadeGraph: false) stay there. Answers how many, 0 when none is left. It fails where something on the table keeps all.
create or replace function izzie_memory.purge_page(owner text, older_than timestamptz, owe text, page integer) returns bigint
language plpgsql as $$
declare
  ids uuid[];
  removed bigint;
begin
  perform izzie_memory.begin_write(jsonb_build_object('memoryId', '*', 'owe', owe, 'detached', 'keep'));
  ids := array(select s.memory_id from izzie_memory.memory_state s
    where s.deleted and s.content_hash is not null and s.changed_at < older_than and (owner is null or s.user_id = owner)
    order by s.changed_at limit page);
  perform from public.memory_entries e where e.id = any (ids) order by e.id for update;
  -- Again: one of them may have been restored while its lock was waited for.
  ids := array(select s.memory_id from izzie_memory.memory_state s
    where s.memory_id = any (ids) and s.deleted and s.changed_at < older_than and (owner is null or s.user_id = owner));
  removed := izzie_memory.remove_rows(ids, true, owe);
  if removed = 0 and exists (select from public.memory_entries e where e.id = any (ids)) then
    perform izzie_memory.not_kept('delete', 'rows were not deleted');
  end if;
  return removed;
end $$;

-- After a user's rows are removed: what the layer keeps of them beside the rows. Memories that were deleted without their
-- nodes become plain tombstones, which are owed to the graph.
create or replace function izzie_memory.forget_user(owner text) returns void
language sql as $$
  delete from izzie_memory.conflicts c where c.user_id = owner;
  delete from izzie_memory.memory_vectors v
  where v.user_id = owner and not exists (select from public.memory_entries e where e.id = v.memory_id);
  with detached as materialized (
    select s.memory_id from izzie_memory.memory_state s
    where s.user_id = owner and s.detached
    order by s.memory_id for update
  ), forgotten as (
    update izzie_memory.memory_state s
    set detached = false, revision = nextval('izzie_memory.revision_seq'), changed_at = clock_timestamp()
    from detached
    where s.memory_id = detached.memory_id
    returning s.memory_id, s.user_id, s.revision
  )
  select izzie_memory.owe_graph(f.memory_id, f.user_id, f.revision, '{"owe": "later"}') from forgotten f order by f.memory_id;
$$;
