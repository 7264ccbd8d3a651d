-- The layer's own writes: one function call each, so one round trip and one transaction each.

-- Begins a write of ours: durable whatever the role's default is (a SET clause of the function would be undone before
-- the commit), with the context that the triggers read.
create or replace function izzie_memory.begin_write(context jsonb) returns void
language sql as $$
  select set_config('synchronous_commit', 'on', true), set_config('izzie_memory.write_context', context::text, true)
$$;

-- Ends it: projects into the graph inside this database, gives back what the caller has to know.
create or replace function izzie_memory.end_write(id uuid, context jsonb, outcome jsonb) returns jsonb
language plpgsql as $$
declare
  graph izzie_memory.graph_targets;
  view_of jsonb := izzie_memory.projection(id);
  memory jsonb := (select to_jsonb(m) from izzie_memory.memories m where m.id = end_write.id);
begin
  perform set_config('izzie_memory.write_context', '', true);
  -- Only a delete may leave nothing to be seen.
  if memory is null and not context ? 'hard' then
    perform izzie_memory.not_kept('update', 'the row cannot be seen after it was written');
  end if;
  select * into graph from izzie_memory.graph_targets t where t.current;
  if graph.kind = 'postgres' and context ->> 'owe' = 'inline' then
    perform izzie_memory.project(jsonb_build_array(view_of));
  end if;
  return outcome || jsonb_build_object(
    'memory', memory,
    'projection', view_of, 'target', graph.target,
    'owed', exists (select from izzie_memory.memory_sync q where q.target = graph.target and q.memory_id = end_write.id));
end $$;

-- Puts a vector into its space: the application's column for space 1, memory_vectors for any other.
create or replace function izzie_memory.put_vector(id uuid, owner text, space integer, vector vector) returns void
language plpgsql as $$
begin
  if space = 1 then
    update public.memory_entries e set embedding = vector where e.id = put_vector.id;
  else
    insert into izzie_memory.memory_vectors (memory_id, space_id, user_id, embedding) values (id, space, owner, vector)
    on conflict (memory_id, space_id) do update set user_id = excluded.user_id, embedding = excluded.embedding;
  end if;
end $$;

-- A request whose vector belongs to a space that is no longer the current one: only the application's column takes it,
-- and the current space is owed one.
create or replace function izzie_memory.fence_space(request jsonb) returns jsonb
language sql stable as $$
  select case
    when request ->> 'space' is null or (request ->> 'space')::integer = izzie_memory.current_space() then request
    when (request ->> 'space')::integer = 1 then request || '{"oweEmbedding": true}'
    else request || '{"oweEmbedding": true, "space": null}' end
$$;

-- Keeps how a content was embedded in a space that was too long for the embedder (null: it was not). Other content makes it
-- void: the hash says of which it was told.
create or replace function izzie_memory.note_pieces(id uuid, space integer, pieces jsonb) returns void
language sql as $$
  update izzie_memory.memory_state s
  set embedding_pieces =
    case when s.embedding_pieces ->> 'hash' = encode(s.content_hash, 'hex') then s.embedding_pieces - space::text
      else jsonb_build_object('hash', encode(s.content_hash, 'hex')) end
    || case when pieces is null then '{}' else jsonb_build_object(space, pieces) end
  where s.memory_id = note_pieces.id and s.content_hash is not null and (pieces is not null or s.embedding_pieces ? space::text)
$$;

-- Owes what the models did not give, where the content is new; what they did give is owed no longer.
create or replace function izzie_memory.settle_models(request jsonb, id uuid, owner text, new_content boolean) returns void
language plpgsql as $$
declare
  given bigint := (select revision from izzie_memory.memory_state s where s.memory_id = id);
begin
  if request ->> 'space' is not null and (request -> 'embeddingPieces' <> 'null' or not new_content) then
    perform izzie_memory.note_pieces(id, (request ->> 'space')::integer, nullif(request -> 'embeddingPieces', 'null'));
  end if;
  if not (request ->> 'oweEmbedding')::boolean and request ->> 'space' is not null then
    delete from izzie_memory.memory_sync q where q.target = 'embedding' and q.memory_id = id;
  elsif (request ->> 'oweEmbedding')::boolean and new_content then
    perform izzie_memory.owe('embedding', id, owner, given, clock_timestamp());
  end if;
  if not (request ->> 'oweExtraction')::boolean and request ? 'entities' then
    delete from izzie_memory.memory_sync q where q.target = 'extraction' and q.memory_id = id;
  elsif (request ->> 'oweExtraction')::boolean and new_content then
    perform izzie_memory.owe('extraction', id, owner, given, clock_timestamp());
  end if;
end $$;

create or replace function izzie_memory.as_uuid(value text) returns uuid
language sql immutable parallel safe as $$
  select case when value ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then value::uuid end
$$;

-- Makes up for triggers of ours that are disabled: a write of ours leaves a state that fits its row. A trigger after it may
-- have written the row again, or removed it.
create or replace function izzie_memory.ensure_state(event text, written public.memory_entries) returns void
language plpgsql as $$
declare
  known izzie_memory.memory_state;
  present public.memory_entries;
begin
  select * into known from izzie_memory.memory_state s where s.memory_id = written.id;
  if known.row_hash = izzie_memory.row_hash(written) then
    return;
  end if;
  select * into present from public.memory_entries e where e.id = written.id;
  if not found then
    perform izzie_memory.not_kept(event, 'the row is gone right after it was written');
  end if;
  if known.row_hash is distinct from izzie_memory.row_hash(present) then
    perform izzie_memory.memory_put(present, true,
      known.content_hash is distinct from sha256(convert_to(present.content, 'UTF8')));
  end if;
end $$;

-- The row of a store, unless there is one under its id. Answers {created, conflict: 'user' | 'content' | null}.
create or replace function izzie_memory.insert_memory(request jsonb, embedding vector) returns jsonb
language plpgsql as $$
#variable_conflict use_variable
declare
  new_id uuid := (request ->> 'id')::uuid;
  owner text := request ->> 'userId';
  space integer;
  conversation uuid := izzie_memory.as_uuid(request ->> 'conversationId');
  moment timestamp := coalesce((request ->> 'createdAt')::timestamptz at time zone 'UTC', clock_timestamp() at time zone 'UTC');
  context jsonb := jsonb_build_object('memoryId', new_id, 'owe', request ->> 'owe', 'entities', request -> 'entities',
    'relationships', request -> 'relationships', 'rejected', request -> 'rejected',
    'conversationKey', case when conversation is null then request ->> 'conversationId' end);
  written public.memory_entries;
  present public.memory_entries;
  revived jsonb;
begin
  request := izzie_memory.fence_space(request);
  space := (request ->> 'space')::integer;
  perform izzie_memory.begin_write(context);
  -- Again where the row that was in the way is deleted before it is read.
  for attempt in 1 .. 5 loop
    insert into public.memory_entries as e (id, conversation_id, user_id, content, summary, metadata, embedding,
      importance, access_count, is_deleted, created_at, updated_at)
    values (new_id, conversation, owner, request ->> 'content', request ->> 'summary', request -> 'metadata',
      case when space = 1 then embedding end, (request ->> 'importance')::integer, 0, false, moment, clock_timestamp() at time zone 'UTC')
    on conflict (id) do nothing
    returning * into written;
    if found then
      if written.id <> new_id or written.user_id <> owner then
        perform izzie_memory.not_kept('insert', 'the row came to have another id or user');
      end if;
      perform izzie_memory.ensure_state('insert', written);
      -- The vector was made of another text than a trigger has put there.
      if written.content <> request ->> 'content' and space is not null then
        update public.memory_entries e set embedding = null where e.id = new_id and space = 1;
        request := request || '{"space": null, "oweEmbedding": true}';
        space := null;
      end if;
      if space <> 1 then
        perform izzie_memory.put_vector(new_id, owner, space, embedding);
      end if;
      perform izzie_memory.settle_models(request, new_id, owner, true);
      return '{"created": true}';
    end if;
    select * into present from public.memory_entries e where e.id = new_id;
    exit when found;
  end loop;
  if present.id is null then
    if izzie_memory.obstacles('insert') is null then
      raise serialization_failure using message = 'the memory was stored and deleted by others all the while';
    end if;
    perform izzie_memory.not_kept('insert', 'the new row was not inserted, or a row of this id is hidden');
  end if;
  if present.user_id <> owner then
    return '{"created": false, "conflict": "user"}';
  elsif present.content <> request ->> 'content' then
    return '{"created": false, "conflict": "content"}';
  end if;
  if (request ->> 'restore')::boolean and coalesce(present.is_deleted, false) then
    revived := izzie_memory.revive(request);
  end if;
  return case when revived -> 'found' = 'true' then revived else '{}' end || '{"created": false}';
end $$;

-- request: {id, userId, content, summary, metadata, importance, createdAt, conversationId, entities, relationships, rejected,
--           restore, undo, owe, space, oweEmbedding, oweExtraction}
-- answer:  {created, conflict, found and previous (where it was restored), memory, projection, target, owed}
create or replace function izzie_memory.store_memory(request jsonb, embedding vector) returns jsonb
language plpgsql as $$
declare
  outcome jsonb := izzie_memory.insert_memory(request, embedding);
begin
  if outcome ? 'conflict' then
    return outcome;
  end if;
  return izzie_memory.end_write((request ->> 'id')::uuid,
    case when 'true' in (outcome ->> 'created', outcome ->> 'found') then request else '{}' end, outcome);
end $$;

-- The answer to a caller who has seen another revision than there is; null when it is the one. The state is locked: a
-- revision can be given without a change of the row.
create or replace function izzie_memory.stale(request jsonb, id uuid) returns jsonb
language plpgsql as $$
declare
  actual bigint;
begin
  if request ->> 'expectedRevision' is null then
    return null;
  end if;
  select s.revision into actual from izzie_memory.memory_state s where s.memory_id = stale.id for update;
  if coalesce(actual, 0) = (request ->> 'expectedRevision')::bigint then
    return null;
  end if;
  return jsonb_build_object('found', true, 'conflict', 'revision',
    'memory', (select to_jsonb(m) from izzie_memory.memories m where m.id = stale.id));
end $$;

-- What a rollback needs to put back: the row, and what its state knows beyond the row.
create or replace function izzie_memory.snapshot(memory public.memory_entries) returns jsonb
language sql stable as $$
  select jsonb_build_object('row', to_jsonb(memory), 'entities', coalesce(s.given_entities, s.entities, '[]'),
    'relationships', coalesce(s.given_relationships, s.relationships, '[]'), 'rejected', s.rejected, 'conversationKey', s.conversation_key,
    'vectors', (select coalesce(jsonb_agg(to_jsonb(v)), '[]') from izzie_memory.memory_vectors v where v.memory_id = memory.id),
    'owed', (select coalesce(jsonb_agg(to_jsonb(q)), '[]') from izzie_memory.memory_sync q
             where q.memory_id = memory.id and q.target in ('embedding', 'extraction')))
  from (select memory.id) m left join izzie_memory.memory_state s on s.memory_id = memory.id
$$;

-- Whether an update came to something. What a trigger makes of a value is the application's matter; that all is as it was
-- is not.
create or replace function izzie_memory.check_update(request jsonb, old public.memory_entries, new public.memory_entries) returns void
language plpgsql as $$
begin
  if new.id <> old.id or new.user_id <> old.user_id then
    perform izzie_memory.not_kept('update', 'the row came to have another id or user');
  end if;
  if (new.content, new.summary, new.importance, new.metadata)
      is not distinct from (old.content, old.summary, old.importance, old.metadata)
    and (request ? 'content' and request ->> 'content' is distinct from old.content
      or request ? 'summary' and request ->> 'summary' is distinct from old.summary
      or request ? 'importance' and (request ->> 'importance')::integer is distinct from old.importance
      or request ? 'metadata' and request -> 'metadata' is distinct from old.metadata) then
    perform izzie_memory.not_kept('update', 'the row stayed as it was');
  end if;
end $$;

-- request: {id, userId?, content?, summary?, metadata?, metadataPatch?, importance?, entities?, relationships?, owe,
--           space, oweEmbedding, oweExtraction, expectedRevision?, undo}; a member that is there is set, summary null
--           clears it.
-- answer:  {found, conflict: 'revision' | null, previous (if undo), memory, projection, target, owed}
create or replace function izzie_memory.update_memory(request jsonb, embedding vector) returns jsonb
language plpgsql as $$
#variable_conflict use_variable
declare
  old public.memory_entries;
  new public.memory_entries;
  space integer;
  rewritten boolean;
  before izzie_memory.memory_state;
  previous jsonb;
  stale jsonb;
  context jsonb := request - '{content,summary,metadata,metadataPatch,importance,id,userId,space,oweEmbedding,oweExtraction,expectedRevision,undo}'::text[]
    || jsonb_build_object('memoryId', request ->> 'id');
begin
  request := izzie_memory.fence_space(request);
  space := (request ->> 'space')::integer;
  perform izzie_memory.begin_write(context);
  select * into old from public.memory_entries e where e.id = (request ->> 'id')::uuid and not coalesce(e.is_deleted, false)
    and (request ->> 'userId' is null or e.user_id = request ->> 'userId') for update;
  if not found then
    return '{"found": false}';
  end if;
  stale := izzie_memory.stale(request, old.id);
  if stale is not null then
    return stale;
  end if;
  select * into before from izzie_memory.memory_state s where s.memory_id = old.id;
  previous := case when (request ->> 'undo')::boolean then izzie_memory.snapshot(old) end;
  rewritten := request ? 'content' and request ->> 'content' <> old.content;
  update public.memory_entries e set
    content = case when request ? 'content' then request ->> 'content' else e.content end,
    summary = case when request ? 'summary' then request ->> 'summary' else e.summary end,
    importance = case when request ? 'importance' then (request ->> 'importance')::integer else e.importance end,
    metadata = case
      when request ? 'metadata' then request -> 'metadata'
      when request ? 'metadataPatch' then
        case when jsonb_typeof(e.metadata) = 'object' then e.metadata else '{}' end || (request -> 'metadataPatch')
      else e.metadata end,
    embedding = case when space = 1 then embedding when rewritten then null else e.embedding end,
    updated_at = clock_timestamp() at time zone 'UTC'
  where e.id = old.id returning * into new;
  if not found then
    perform izzie_memory.not_kept('update', 'the row was not updated');
  end if;
  perform izzie_memory.check_update(request, old, new);
  rewritten := old.content <> new.content;
  -- The vector was made of another text than a trigger has put there.
  if space is not null and request ? 'content' and new.content <> request ->> 'content' then
    update public.memory_entries e set embedding = null where e.id = old.id and space = 1;
    request := request || '{"space": null, "oweEmbedding": true}';
    space := null;
  end if;
  perform izzie_memory.ensure_state('update', new);
  if rewritten then
    delete from izzie_memory.memory_vectors v where v.memory_id = old.id;
  end if;
  if space <> 1 then
    perform izzie_memory.put_vector(old.id, old.user_id, space, embedding);
  end if;
  -- Entities alone change no column of the row, so no trigger fired.
  if before.revision is not distinct from (select s.revision from izzie_memory.memory_state s where s.memory_id = old.id)
    and (context ? 'entities' or context ? 'relationships') then
    perform izzie_memory.memory_put(new, false, false);
  end if;
  perform izzie_memory.settle_models(request, old.id, old.user_id, rewritten);
  return izzie_memory.end_write(old.id, context, jsonb_build_object('found', true, 'previous', previous));
end $$;

-- Marks a row as deleted, or as live again.
create or replace function izzie_memory.set_deleted(id uuid, deleted boolean) returns void
language plpgsql as $$
declare
  written public.memory_entries;
begin
  update public.memory_entries e set is_deleted = deleted, updated_at = clock_timestamp() at time zone 'UTC'
  where e.id = set_deleted.id returning * into written;
  if not found or written.is_deleted is distinct from deleted then
    perform izzie_memory.not_kept('update', case when deleted then 'the row was not marked as deleted' else 'the row was not restored' end);
  end if;
  perform izzie_memory.ensure_state('update', written);
end $$;

-- The row's half of a delete. Answers {found, conflict: 'revision' | null, previous (if undo)}.
create or replace function izzie_memory.remove_memory(request jsonb) returns jsonb
language plpgsql as $$
declare
  old public.memory_entries;
  previous jsonb;
  stale jsonb;
  context jsonb := jsonb_build_object('memoryId', request ->> 'id', 'detached', request -> 'detached', 'owe', request ->> 'owe');
begin
  perform izzie_memory.begin_write(context);
  select * into old from public.memory_entries e where e.id = (request ->> 'id')::uuid
    and (request ->> 'userId' is null or e.user_id = request ->> 'userId') for update;
  if not found or (coalesce(old.is_deleted, false) and not (request ->> 'hard')::boolean) then
    return '{"found": false}';
  end if;
  stale := izzie_memory.stale(request, old.id);
  if stale is not null then
    return stale;
  end if;
  previous := case when (request ->> 'undo')::boolean then izzie_memory.snapshot(old) end;
  if (request ->> 'hard')::boolean then
    delete from public.memory_entries e where e.id = old.id;
    if not found then
      perform izzie_memory.not_kept('delete', 'the row was not deleted');
    end if;
    if exists (select from public.memory_entries e where e.id = old.id) then
      perform izzie_memory.not_kept('delete', 'the row is there again after it was deleted');
    end if;
    perform izzie_memory.memory_gone(old.id, old.user_id)
    from izzie_memory.memory_state s where s.memory_id = old.id and s.content_hash is not null;
  else
    perform izzie_memory.set_deleted(old.id, true);
  end if;
  return jsonb_build_object('found', true, 'previous', previous);
end $$;

-- request: {id, userId?, hard, detached, owe, expectedRevision?, undo}
-- answer:  {found, conflict, previous, memory, projection, target, owed}
create or replace function izzie_memory.delete_memory(request jsonb) returns jsonb
language plpgsql as $$
declare
  outcome jsonb := izzie_memory.remove_memory(request);
begin
  if outcome -> 'found' = 'false' or outcome ? 'conflict' then
    return outcome;
  end if;
  return izzie_memory.end_write((request ->> 'id')::uuid, request, outcome);
end $$;

-- A soft-deleted memory lives again, with everything that its state kept: the row's half.
-- request: {id, userId?, owe, undo}; answer: {found, previous (if undo)}
create or replace function izzie_memory.revive(request jsonb) returns jsonb
language plpgsql as $$
declare
  old public.memory_entries;
  previous jsonb;
begin
  perform izzie_memory.begin_write(jsonb_build_object('memoryId', request ->> 'id', 'owe', request ->> 'owe'));
  select * into old from public.memory_entries e where e.id = (request ->> 'id')::uuid and e.is_deleted
    and (request ->> 'userId' is null or e.user_id = request ->> 'userId') for update;
  if not found then
    return '{"found": false}';
  end if;
  previous := case when (request ->> 'undo')::boolean then izzie_memory.snapshot(old) end;
  perform izzie_memory.set_deleted(old.id, false);
  return jsonb_build_object('found', true, 'previous', previous);
end $$;

-- request: as of revive; answer: {found, previous (if undo), memory, projection, target, owed}
create or replace function izzie_memory.restore_memory(request jsonb) returns jsonb
language plpgsql as $$
declare
  outcome jsonb := izzie_memory.revive(request);
begin
  if outcome -> 'found' = 'false' then
    return outcome;
  end if;
  return izzie_memory.end_write((request ->> 'id')::uuid, request, outcome);
end $$;

-- What the models were owed before a write that is undone, and a vector if the space was switched meanwhile.
create or replace function izzie_memory.restore_model_debts(id uuid, previous jsonb) returns void
language plpgsql as $$
#variable_conflict use_variable
begin
  delete from izzie_memory.memory_sync q where q.memory_id = id and q.target in ('embedding', 'extraction');
  perform izzie_memory.owe(q.target, s.memory_id, s.user_id, s.revision, clock_timestamp(), q.asked)
  from jsonb_populate_recordset(null::izzie_memory.memory_sync, previous -> 'owed') q
  join izzie_memory.memory_state s on s.memory_id = q.memory_id;
end $$;

-- Undoes a write of ours whose graph half failed: a new versioned write, only while `revision` is still the newest.
-- `previous` is what a snapshot held before the write, null for a store. Answers whether it was undone.
create or replace function izzie_memory.undo_write(id uuid, revision bigint, previous jsonb) returns boolean
language plpgsql as $$
#variable_conflict use_variable
declare
  -- named as the columns they fill
  context jsonb := jsonb_build_object('memoryId', id, 'owe', 'later') || case when previous is null then '{}' else
    jsonb_build_object('entities', previous -> 'entities', 'relationships', previous -> 'relationships', 'rejected', previous -> 'rejected',
                       'conversationKey', previous -> 'conversationKey') end;
  was public.memory_entries := jsonb_populate_record(null::public.memory_entries, previous -> 'row');
begin
  perform izzie_memory.begin_write(context);
  perform from public.memory_entries e where e.id = undo_write.id for update;
  perform from izzie_memory.memory_state s where s.memory_id = undo_write.id and s.revision = undo_write.revision for update;
  if not found then
    return false;
  end if;
  if previous is null then
    delete from public.memory_entries e where e.id = undo_write.id;
    if not found then
      perform izzie_memory.not_kept('delete', 'the row was not deleted');
    end if;
  elsif exists (select from public.memory_entries e where e.id = undo_write.id) then
    update public.memory_entries e set content = was.content, summary = was.summary, metadata = was.metadata,
      embedding = was.embedding, importance = was.importance, is_deleted = was.is_deleted
    where e.id = undo_write.id;
    if not found then
      perform izzie_memory.not_kept('update', 'the row was not updated');
    end if;
    if undo_write.revision = (select s.revision from izzie_memory.memory_state s where s.memory_id = undo_write.id) then
      perform izzie_memory.memory_put(was, false, false);
    end if;
  else
    insert into public.memory_entries select was.*;
    if not found then
      perform izzie_memory.not_kept('insert', 'the row was not inserted');
    end if;
  end if;
  delete from izzie_memory.memory_vectors v where v.memory_id = undo_write.id;
  insert into izzie_memory.memory_vectors
  select v.* from jsonb_populate_recordset(null::izzie_memory.memory_vectors, previous -> 'vectors') v;
  perform izzie_memory.restore_model_debts(undo_write.id, previous);
  return true;
end $$;

-- Makes (model, dimensions) the current embedding space if the present one holds no vector and none is being filled.
-- Answers its id, null if not.
create or replace function izzie_memory.switch_space(wanted_model text, wanted_dimensions integer) returns integer
language plpgsql as $$
declare
  present izzie_memory.embedding_spaces;
  given integer;
begin
  select * into present from izzie_memory.embedding_spaces s where s.current for update;
  if present.model = wanted_model and present.dimensions = wanted_dimensions then
    return present.space_id;
  end if;
  if exists (select from izzie_memory.embedding_spaces s where s.filling)
    or present.in_app_column and exists (select from public.memory_entries e where e.embedding is not null)
    or exists (select from izzie_memory.memory_vectors v where v.space_id = present.space_id) then
    return null;
  end if;
  update izzie_memory.embedding_spaces s set current = false, retired_at = clock_timestamp() where s.current;
  insert into izzie_memory.embedding_spaces (model, dimensions, current) values (wanted_model, wanted_dimensions, true)
  on conflict (model, dimensions) do update set current = true, retired_at = null
  returning space_id into given;
  return given;
end $$;

-- The live memory under an id, counted as accessed where the server takes writes and nothing on the table objects.
create or replace function izzie_memory.read_memory(wanted uuid, owner text) returns setof izzie_memory.memories
language plpgsql as $$
begin
  if not current_setting('transaction_read_only')::boolean then
    update public.memory_entries e
    set access_count = least(coalesce(e.access_count, 0)::bigint + 1, 2147483647)::integer,
        last_accessed_at = clock_timestamp() at time zone 'UTC'
    where e.id = wanted and not coalesce(e.is_deleted, false) and (owner is null or e.user_id = owner);
  end if;
  return query select m.* from izzie_memory.memories m
    where m.id = wanted and not m.is_deleted and (owner is null or m.user_id = owner);
end $$;
