-- Conflicts between memories and their nodes: each is settled together with its entry in the log.

-- Writes the entry: the memory's open one, else a new one.
create or replace function izzie_memory.log_conflict(request jsonb, given_outcome text) returns void
language plpgsql as $$
declare
  differing text[] := array(select jsonb_array_elements_text(request -> 'fields'));
begin
  update izzie_memory.conflicts c
  set user_id = request ->> 'userId', strategy = request ->> 'strategy', outcome = given_outcome, fields = differing,
      vector = nullif(request -> 'vector', 'null'), graph = nullif(request -> 'graph', 'null'),
      resolved_at = case when given_outcome <> 'open' then clock_timestamp() end
  where c.memory_id = (request ->> 'memoryId')::uuid and c.outcome = 'open';
  if found then
    return;
  end if;
  insert into izzie_memory.conflicts (memory_id, user_id, strategy, outcome, fields, vector, graph, resolved_at)
  values ((request ->> 'memoryId')::uuid, request ->> 'userId', request ->> 'strategy', given_outcome, differing,
    nullif(request -> 'vector', 'null'), nullif(request -> 'graph', 'null'),
    case when given_outcome <> 'open' then clock_timestamp() end)
  on conflict (memory_id) where outcome = 'open' do nothing;
end $$;

-- A node without row and tombstone: becomes a row, or gets its tombstone. Taking the place in memory_state first makes
-- sure that nobody else gives the id a row, or took one away, meanwhile. What the row's table refuses stays open.
create or replace function izzie_memory.settle_orphan(request jsonb) returns jsonb
language plpgsql as $$
declare
  wanted uuid := (request ->> 'memoryId')::uuid;
  owner text := request ->> 'userId';
begin
  if request ->> 'outcome' = 'open' then
    perform izzie_memory.log_conflict(request, 'open');
    return '{"settled": true}';
  end if;
  -- Its tombstone was collected meanwhile.
  if exists (select from izzie_memory.graph_targets t where t.current and (t.horizon_epoch, t.horizon_revision)
      >= ((request -> 'node' ->> 'epoch')::bigint, (request -> 'node' ->> 'revision')::bigint)) then
    return '{"settled": false}';
  end if;
  insert into izzie_memory.memory_state as s (memory_id, user_id, epoch, revision, deleted, h1, h2, bucket)
  select wanted, owner, (select epoch from izzie_memory.settings), nextval('izzie_memory.revision_seq'), true, 0, 0,
    izzie_memory.bucket(wanted)
  where not exists (select from public.memory_entries e where e.id = wanted)
  on conflict do nothing;
  if not found then
    return '{"settled": false}';
  end if;
  if request -> 'row' <> 'null' then
    if not (izzie_memory.insert_memory(request -> 'row', null) ->> 'created')::boolean then
      raise serialization_failure;
    end if;
  end if;
  perform izzie_memory.supersede(wanted, owner, (request -> 'node' ->> 'epoch')::bigint, (request -> 'node' ->> 'revision')::bigint);
  perform izzie_memory.log_conflict(request, request ->> 'outcome');
  return '{"settled": true}';
exception when integrity_constraint_violation or sqlstate 'IZ001' then
  perform izzie_memory.log_conflict(request, 'open');
  return jsonb_build_object('settled', false, 'error', sqlerrm);
end $$;

-- request: {memoryId, userId, strategy, outcome: 'vector' | 'graph' | 'merged' | 'open', fields, vector, graph,
--           expectedRevision: that of the row that was compared, null: there was neither row nor tombstone,
--           node: {epoch, revision}, row: what update_memory or insert_memory takes | null}
-- answer:  {settled, error?}; false without an error: the memory was written meanwhile, nothing was done.
create or replace function izzie_memory.settle_conflict(request jsonb) returns jsonb
language plpgsql as $$
declare
  wanted uuid := (request ->> 'memoryId')::uuid;
begin
  perform izzie_memory.begin_write('{}');
  if request ->> 'expectedRevision' is null then
    return izzie_memory.settle_orphan(request);
  end if;
  perform from public.memory_entries e where e.id = wanted for update;
  if izzie_memory.stale(request, wanted) is not null then
    return '{"settled": false}';
  end if;
  if request -> 'row' <> 'null' then
    if not (izzie_memory.update_memory(request -> 'row', null) ->> 'found')::boolean then
      return '{"settled": false}';
    end if;
  elsif request ->> 'outcome' <> 'open' then
    perform izzie_memory.supersede(wanted, request ->> 'userId', (request -> 'node' ->> 'epoch')::bigint,
      (request -> 'node' ->> 'revision')::bigint);
  end if;
  perform izzie_memory.log_conflict(request, request ->> 'outcome');
  return '{"settled": true}';
end $$;
