-- Debts to the models, and embedding spaces that are filled while another one is in use.

drop function if exists izzie_memory.put_vectors(integer, uuid[], text[], vector[]);

-- Whether a memory has a vector in a space. A vector never outlives the content it was made of (drop_stale_vector), so this says too
-- that it is the right one.
create or replace function izzie_memory.has_vector(id uuid, space integer) returns boolean
language plpgsql stable as $$
begin
  if space = 1 then
    return exists (select from public.memory_entries e where e.id = has_vector.id and e.embedding is not null);
  end if;
  return exists (select from izzie_memory.memory_vectors v where v.memory_id = has_vector.id and v.space_id = space);
end $$;

-- Holds a space in its place until the transaction ends: a switch waits. False: it is neither current nor being filled.
create or replace function izzie_memory.hold_space(space integer, out held boolean, out current boolean)
language plpgsql as $$
begin
  select s.current into current from izzie_memory.embedding_spaces s
  where s.space_id = space and (s.current or s.filling) for share;
  held := found;
end $$;

-- Of these memories those whose rows are locked now. One that somebody else has locked is left for later: whoever waits
-- for it holds up all the others.
create or replace function izzie_memory.lock_rows(ids uuid[]) returns uuid[]
language sql as $$
  select coalesce(array_agg(l.id), '{}') from (
    select e.id from public.memory_entries e
    where e.id = any (ids) and not coalesce(e.is_deleted, false)
    order by e.id for no key update skip locked) l
$$;

-- Vectors that the application's table does not take would be made, and paid for, again and again.
create or replace function izzie_memory.give_up_embedding(ids uuid[]) returns void
language sql as $$
  update izzie_memory.memory_sync q
  set state = 'dead', lease_token = null, lease_until = null,
      last_error = 'memory_entries: the embedding was not kept; on the table stands '
        || coalesce(izzie_memory.obstacles('update'), 'something that changes it')
  where q.target = 'embedding' and q.memory_id = any (ids)
$$;

-- Writes vectors that were made of contents with these hashes (hex) into a space, and strikes off what they pay. Passed over is
-- a memory that has other content by now, is gone or locked; all of them are when the space is retired. Answers those
-- written. `pieces`: for each, how it was embedded where it was too long.
create or replace function izzie_memory.put_vectors(
  space integer, ids uuid[], hashes text[], vectors vector[], pieces jsonb[] default null
) returns uuid[]
language plpgsql as $$
declare
  is_held boolean;
  is_current boolean;
  locked uuid[];
  fresh uuid[];
  taken uuid[];
begin
  select h.held, h.current into is_held, is_current from izzie_memory.hold_space(space) h;
  if not is_held then
    return '{}';
  end if;
  perform izzie_memory.begin_write('{"memoryId": "*"}');
  locked := izzie_memory.lock_rows(ids);
  -- Looked at only now that nobody can change them.
  fresh := array(select w.id from unnest(ids, hashes) as w (id, hash)
    join izzie_memory.memory_state s on s.memory_id = w.id and not s.deleted and encode(s.content_hash, 'hex') = w.hash
    where w.id = any (locked));
  if space = 1 then
    with written as (
      update public.memory_entries e set embedding = w.embedding
      from unnest(ids, vectors) as w (id, embedding)
      where e.id = w.id and w.id = any (fresh)
      returning e.id, e.embedding
    )
    select coalesce(array_agg(w.id), '{}') into taken from written w where w.embedding is not null;
    perform izzie_memory.give_up_embedding(array(select f.id from unnest(fresh) as f (id) where f.id <> all (taken)));
    fresh := taken;
  else
    insert into izzie_memory.memory_vectors (memory_id, space_id, user_id, embedding)
    select w.id, space, s.user_id, w.embedding
    from unnest(ids, vectors) as w (id, embedding)
    join izzie_memory.memory_state s on s.memory_id = w.id
    where w.id = any (fresh)
    order by w.id
    on conflict (memory_id, space_id) do update set user_id = excluded.user_id, embedding = excluded.embedding;
  end if;
  perform izzie_memory.note_pieces(w.id, space, w.noted) from unnest(ids, pieces) as w (id, noted)
  where w.noted is not null and w.id = any (fresh);
  if is_current then
    perform izzie_memory.strike_embedded(space, fresh);
  end if;
  return fresh;
end $$;

-- Strikes off the embedding debts of those of these memories that have their vector. Answers them.
create or replace function izzie_memory.strike_embedded(space integer, ids uuid[]) returns uuid[]
language plpgsql as $$
declare
  struck uuid[];
begin
  if not coalesce((select h.current from izzie_memory.hold_space(space) h), false) then
    return '{}';
  end if;
  perform from izzie_memory.memory_sync q where q.target = 'embedding' and q.memory_id = any (ids)
  order by q.memory_id for update;
  with gone as (
    delete from izzie_memory.memory_sync q
    where q.target = 'embedding' and q.memory_id = any (ids) and izzie_memory.has_vector(q.memory_id, space)
    returning q.memory_id
  )
  select coalesce(array_agg(g.memory_id), '{}') into struck from gone g;
  return struck;
end $$;

-- Strikes off the embedding debts of memories whose contents, those with these hashes (hex), the model of the current space
-- has no vector for. Answers them.
create or replace function izzie_memory.strike_vectorless(space integer, ids uuid[], hashes text[]) returns uuid[]
language plpgsql as $$
declare
  struck uuid[];
begin
  if not coalesce((select h.current from izzie_memory.hold_space(space) h), false) then
    return '{}';
  end if;
  perform from izzie_memory.memory_sync q where q.target = 'embedding' and q.memory_id = any (ids)
  order by q.memory_id for update;
  -- Looked at only now: a writer that comes later owes anew.
  with gone as (
    delete from izzie_memory.memory_sync q
    using unnest(ids, hashes) as w (id, hash)
    join izzie_memory.memory_state s on s.memory_id = w.id and encode(s.content_hash, 'hex') = w.hash
    where q.target = 'embedding' and q.memory_id = w.id
    returning q.memory_id
  )
  select coalesce(array_agg(g.memory_id), '{}') into struck from gone g;
  return struck;
end $$;

-- What an extractor found in one memory becomes a new revision of it, while the content is the one that was read and its
-- extraction is still owed: whoever gives entities strikes the debt off. Nothing new is no revision.
create or replace function izzie_memory.put_extraction(request jsonb, owe text) returns boolean
language plpgsql as $$
declare
  wanted uuid := (request ->> 'id')::uuid;
  memory public.memory_entries;
  known izzie_memory.memory_state;
begin
  perform izzie_memory.begin_write(jsonb_build_object('memoryId', wanted, 'owe', owe,
    'entities', request -> 'entities', 'relationships', request -> 'relationships', 'rejected', request -> 'rejected'));
  select * into memory from public.memory_entries e where e.id = wanted and not coalesce(e.is_deleted, false)
  for no key update skip locked;
  if not found then
    return false;
  end if;
  select * into known from izzie_memory.memory_state s where s.memory_id = wanted;
  delete from izzie_memory.memory_sync q
  where q.target = 'extraction' and q.memory_id = wanted and q.revision <= (request ->> 'revision')::bigint
    and encode(known.content_hash, 'hex') = request ->> 'hash';
  if not found then
    return false;
  end if;
  if izzie_memory.merge_entities(request -> 'entities') <> coalesce(known.given_entities, known.entities)
    or request -> 'relationships' <> coalesce(known.given_relationships, known.relationships)
    or nullif(request -> 'rejected', 'null') is distinct from known.rejected then
    perform izzie_memory.memory_put(memory, false, false);
  end if;
  return true;
end $$;

-- The same for many, in id order: requests of {id, hash (hex), revision, entities, relationships}. Projects them where the
-- graph lies in this database. Answers those whose debt is paid.
create or replace function izzie_memory.put_extractions(requests jsonb, owe text) returns uuid[]
language plpgsql as $$
declare
  request jsonb;
  paid uuid[] := '{}';
begin
  for request in select value from jsonb_array_elements(requests) order by (value ->> 'id')::uuid loop
    if izzie_memory.put_extraction(request, owe) then
      paid := paid || (request ->> 'id')::uuid;
    end if;
  end loop;
  perform set_config('izzie_memory.write_context', '', true);
  if owe = 'paged' then
    perform izzie_memory.project_or_owe(paid);
  end if;
  return paid;
end $$;

-- Live memories (of a user) after an id that have no vector in a space, in id order; `page` null: all of them. No hash of
-- everything for a page of it: both sides are read in the order of their keys.
create or replace function izzie_memory.without_vector(space integer, owner text, after uuid, page integer) returns setof uuid
language plpgsql stable set enable_hashjoin = off as $$
begin
  if space = 1 then
    return query select s.memory_id from izzie_memory.memory_state s
      join public.memory_entries e on e.id = s.memory_id and e.embedding is null
      where not s.deleted and s.memory_id > after and (owner is null or s.user_id = owner)
      order by s.memory_id limit page;
  else
    return query select s.memory_id from izzie_memory.memory_state s
      where not s.deleted and s.memory_id > after and (owner is null or s.user_id = owner)
        and not exists (select from izzie_memory.memory_vectors v where v.memory_id = s.memory_id and v.space_id = space)
      order by s.memory_id limit page;
  end if;
end $$;

-- Owes the current space the vectors that these live memories lack (null: all live ones). What is owed already stays as
-- it is, or is begun anew where `again`.
create or replace function izzie_memory.owe_missing(ids uuid[], asked boolean, again boolean) returns void
language plpgsql as $$
declare
  space integer := izzie_memory.current_space();
begin
  insert into izzie_memory.memory_sync as q (target, memory_id, user_id, revision, asked)
  select 'embedding', s.memory_id, s.user_id, s.revision, owe_missing.asked
  from (
    select given.id from unnest(ids) as given (id) where not izzie_memory.has_vector(given.id, space)
    union all
    select w.id from izzie_memory.without_vector(space, null, '00000000-0000-0000-0000-000000000000', null) as w (id)
    where ids is null
  ) missing
  join izzie_memory.memory_state s on s.memory_id = missing.id and not s.deleted
  order by s.memory_id
  on conflict (target, memory_id) do update
  set state = 'pending', attempts = 0, next_attempt_at = clock_timestamp(), asked = q.asked or excluded.asked
  where again and q.revision <= excluded.revision;
end $$;

-- The next page of what `owe_missing` owes (of a user), in id order. Answers where the page ends, null after the last.
create or replace function izzie_memory.owe_missing_page(owner text, after uuid, page integer) returns uuid
language plpgsql as $$
declare
  ids uuid[] := izzie_memory.state_page(owner, after, page);
begin
  if ids is null then
    return null;
  end if;
  perform izzie_memory.owe_missing(ids, false, false);
  return ids[array_upper(ids, 1)];
end $$;

-- Begins to fill a space beside the current one, or finds the one that is being filled. Another that was being filled is
-- given up. A space that is current needs no filling: what is left of the job is gone on with. Answers null then.
create or replace function izzie_memory.begin_reembed(wanted_model text, wanted_dimensions integer, out space integer, out resumed boolean)
language plpgsql as $$
declare
  present izzie_memory.embedding_spaces;
begin
  select * into present from izzie_memory.embedding_spaces s where s.current for update;
  if present.model = wanted_model and present.dimensions = wanted_dimensions then
    update izzie_memory.embedding_spaces s set filling = false, retired_at = clock_timestamp() where s.filling;
    if found then
      update izzie_memory.jobs j set phase = 'remove', after = null where j.name = 'reembed';
    end if;
    resumed := exists (select from izzie_memory.jobs j where j.name = 'reembed');
    return;
  end if;
  select s.space_id into space from izzie_memory.embedding_spaces s
  where s.filling and s.model = wanted_model and s.dimensions = wanted_dimensions;
  resumed := found;
  if resumed then
    return;
  end if;
  update izzie_memory.embedding_spaces s set filling = false, retired_at = clock_timestamp() where s.filling;
  insert into izzie_memory.embedding_spaces (model, dimensions, filling) values (wanted_model, wanted_dimensions, true)
  on conflict (model, dimensions) do update set filling = true, retired_at = null
  returning space_id into space;
  delete from izzie_memory.jobs j where j.name = 'reembed';
  perform izzie_memory.begin_job('reembed', 'fill');
end $$;

-- The filled space becomes the current one, which is owed at once what was written meanwhile. False: it is not being
-- filled any more.
create or replace function izzie_memory.finish_reembed(space integer) returns boolean
language plpgsql as $$
begin
  perform from izzie_memory.embedding_spaces s where s.current or s.filling order by s.space_id for update;
  if not exists (select from izzie_memory.embedding_spaces s where s.space_id = space and s.filling) then
    return false;
  end if;
  update izzie_memory.embedding_spaces s set current = false, retired_at = clock_timestamp() where s.current;
  update izzie_memory.embedding_spaces s set current = true, filling = false, retired_at = null, switched_by = pg_current_xact_id()
  where s.space_id = space;
  perform izzie_memory.owe_missing(null, true, true);
  update izzie_memory.jobs j set phase = 'sweep', after = null where j.name = 'reembed';
  return true;
end $$;

-- After the switch: strikes off, a page at a time, debts that the new space has paid already; then owes what transactions
-- that began before the switch wrote for the space before. Answers how many debts it struck off, 0 when all is done, null
-- while one of those transactions is open.
create or replace function izzie_memory.sweep_reembed(page integer) returns bigint
language plpgsql as $$
declare
  space integer := izzie_memory.current_space();
  struck uuid[];
begin
  struck := izzie_memory.strike_embedded(space, array(
    select q.memory_id from izzie_memory.memory_sync q
    where q.target = 'embedding' and izzie_memory.has_vector(q.memory_id, space) limit page));
  if cardinality(struck) > 0 then
    return cardinality(struck);
  end if;
  if izzie_memory.open_below((select s.switched_by from izzie_memory.embedding_spaces s where s.current)) then
    return null;
  end if;
  perform izzie_memory.owe_missing(null, true, false);
  update izzie_memory.jobs j set phase = 'remove', after = null where j.name = 'reembed' and j.phase = 'sweep';
  return 0;
end $$;

-- Removes the next page of vectors of retired spaces, in id order; the application's column is never touched. Answers
-- how many milliseconds to wait before (instances may search a space for `grace_ms` after it was retired), and whether
-- nothing is left.
create or replace function izzie_memory.remove_retired(grace_ms bigint, page integer, out wait_ms bigint, out done boolean)
language plpgsql as $$
#variable_conflict use_column
declare
  cursor_id uuid;
  retired integer[];
  last uuid;
begin
  select j.after into cursor_id from izzie_memory.jobs j where j.name = 'reembed' and j.phase = 'remove' for update;
  if not found then
    done := true;
    return;
  end if;
  select greatest(0, ceil(extract(epoch from max(s.retired_at) - clock_timestamp()) * 1000 + grace_ms))::bigint,
    array_agg(s.space_id)
  into wait_ms, retired
  from izzie_memory.embedding_spaces s where not s.current and not s.filling and not s.in_app_column;
  done := retired is null;
  if wait_ms > 0 then
    return;
  end if;
  with old as (
    select v.memory_id, v.space_id from izzie_memory.memory_vectors v
    where v.space_id = any (retired) and v.memory_id >= coalesce(cursor_id, '00000000-0000-0000-0000-000000000000')
    order by v.memory_id limit page
  ), gone as (
    delete from izzie_memory.memory_vectors v using old
    where v.memory_id = old.memory_id and v.space_id = old.space_id
    returning v.memory_id
  )
  select max(g.memory_id::text)::uuid into last from gone g;
  update izzie_memory.jobs j set after = last where j.name = 'reembed';
  if last is null then
    delete from izzie_memory.embedding_spaces s where s.space_id = any (retired);
    delete from izzie_memory.jobs j where j.name = 'reembed';
    done := true;
  end if;
end $$;
