-- The highest version up to which tombstones of this graph may be gone. No row: none ever was.
create or replace function izzie_memory.graph_horizon(out epoch bigint, out revision bigint)
language sql as $$
  select t.horizon_epoch, t.horizon_revision from izzie_memory.graph_targets t
  where t.kind = 'postgres' order by 1 desc, 2 desc limit 1
$$;

-- The mentions that a JSON array of projections asks for, one per memory and entity.
create or replace function izzie_memory.wanted_mentions(projections jsonb)
returns setof izzie_memory.wanted_mention
language sql immutable as $$
  select distinct on (1, 2) (p ->> 'memoryId')::uuid,
    izzie_memory.entity_key(p ->> 'userId', izzie_memory.entity_label(e ->> 'type'), e ->> 'normalized'),
    p ->> 'userId', izzie_memory.entity_label(e ->> 'type'), e ->> 'normalized', e ->> 'value', e ->> 'type',
    (e ->> 'confidence')::double precision, e ->> 'source', e ->> 'context', (p ->> 'createdAt')::bigint
  from jsonb_array_elements(projections) p, jsonb_array_elements(p -> 'entities') e
  order by 1, 2, (e ->> 'confidence')::double precision desc
$$;

-- Applies a JSON array of projections (see izzie_memory.projection), each fenced by (epoch, revision): lower than what
-- the graph holds is refused, equal is applied again. What the graph does not hold and is not above its horizon is not
-- created: `below_horizon`, unless it is a tombstone, whose place the horizon takes. Locks memories in id order, then the
-- union of old and new entities in key order, so that two calls cannot deadlock. Rows are looked up by arrays of keys:
-- without statistics (a table just filled) a join with the JSON alone is planned as a scan.
create or replace function izzie_memory.project(projections jsonb)
returns table (memory_id uuid, epoch bigint, revision bigint, outcome text)
language plpgsql as $$
#variable_conflict use_column
declare
  ids uuid[] := array(select distinct (p ->> 'memoryId')::uuid from jsonb_array_elements(projections) p order by 1);
  horizon record;
  wanted jsonb;
  replaced uuid[];
  mentions izzie_memory.wanted_mention[];
  touched text[];
begin
  -- Again where a clear or a collection of tombstones deleted a memory between its insert and its lock.
  for attempt in 1 .. 20 loop
    insert into izzie_memory.graph_memories as g
    select (p ->> 'memoryId')::uuid, p ->> 'userId', 0, 0, 0, 0, (p ->> 'bucket')::integer, true, false
    from jsonb_array_elements(projections) p
    order by 1
    on conflict do nothing;

    perform from izzie_memory.graph_memories g where g.memory_id = any (ids) order by g.memory_id for update;
    exit when (select count(*) from izzie_memory.graph_memories g where g.memory_id = any (ids)) = cardinality(ids);
    if attempt = 20 then
      raise serialization_failure using message = 'memories of the graph were deleted all the while they were written';
    end if;
  end loop;

  -- Read after the locks: who let a tombstone go had raised it before.
  select * into horizon from izzie_memory.graph_horizon();
  delete from izzie_memory.graph_memories g
  using jsonb_array_elements(projections) p
  where g.memory_id = any (ids) and g.memory_id = (p ->> 'memoryId')::uuid and (g.epoch, g.revision) = (0, 0)
    and not exists (select from jsonb_array_elements(projections) a
      where a ->> 'memoryId' = p ->> 'memoryId'
        and ((a ->> 'epoch')::bigint, (a ->> 'revision')::bigint) > (horizon.epoch, horizon.revision))
    and horizon.epoch is not null;

  -- Detached memories keep what the graph has of them; one the graph never had becomes a tombstone.
  select coalesce(jsonb_agg(p || jsonb_build_object('keep', (p ->> 'detached')::boolean and not g.deleted)), '[]')
  into wanted
  from (
    select distinct on (p ->> 'memoryId') p
    from jsonb_array_elements(projections) p
    order by p ->> 'memoryId', (p ->> 'epoch')::bigint desc, (p ->> 'revision')::bigint desc
  ) newest
  join izzie_memory.graph_memories g on g.memory_id = (p ->> 'memoryId')::uuid
  where g.memory_id = any (ids) and (g.epoch, g.revision) <= ((p ->> 'epoch')::bigint, (p ->> 'revision')::bigint);

  -- Hashed once: every statement below reads them.
  mentions := array(select m from izzie_memory.wanted_mentions(
    (select coalesce(jsonb_agg(p), '[]') from jsonb_array_elements(wanted) p where not (p ->> 'keep')::boolean)) m);

  update izzie_memory.graph_memories g
  set user_id = p ->> 'userId', epoch = (p ->> 'epoch')::bigint, revision = (p ->> 'revision')::bigint,
      h1 = (p ->> 'h1')::bigint, h2 = (p ->> 'h2')::bigint, bucket = (p ->> 'bucket')::integer,
      deleted = (p ->> 'deleted')::boolean and not (p ->> 'keep')::boolean, detached = (p ->> 'keep')::boolean,
      mentions = case when (p ->> 'keep')::boolean then g.mentions else coalesce(c.number, 0) end,
      relationships = case when (p ->> 'keep')::boolean then g.relationships else
        (select count(distinct (r ->> 'relationshipType',
            izzie_memory.entity_label(r ->> 'fromType'), r ->> 'fromNormalized',
            izzie_memory.entity_label(r ->> 'toType'), r ->> 'toNormalized'))
         from jsonb_array_elements(p -> 'relationships') r) end
  from jsonb_array_elements(wanted) p
  left join (select m.memory_id, count(*) as number from unnest(mentions) m group by m.memory_id) c
    on c.memory_id = (p ->> 'memoryId')::uuid
  where g.memory_id = any (ids) and g.memory_id = (p ->> 'memoryId')::uuid;

  wanted := (select coalesce(jsonb_agg(p), '[]') from jsonb_array_elements(wanted) p where not (p ->> 'keep')::boolean);

  replaced := array(select (p ->> 'memoryId')::uuid from jsonb_array_elements(wanted) p);

  -- Again where a clear deleted an entity between its insert and its lock.
  for attempt in 1 .. 20 loop
    insert into izzie_memory.graph_entities (key, user_id, label, normalized, name, type, confidence, first_seen, last_seen)
    select distinct on (m.key) m.key, m.user_id, m.label, m.normalized, m.name, m.type, m.confidence, m.created_at, m.created_at
    from unnest(mentions) m
    order by m.key, izzie_memory.is_address(m.name), m.created_at, m.memory_id
    on conflict do nothing;

    select coalesce(array_agg(k order by k), '{}') into touched from (
      select m.entity_key as k from izzie_memory.graph_mentions m
      where m.memory_id = any (replaced)
      union
      select m.key from unnest(mentions) m
    ) u;
    perform from izzie_memory.graph_entities e where e.key = any (touched) order by e.key for update;
    exit when not exists (select from unnest(mentions) m
      where not exists (select from izzie_memory.graph_entities e where e.key = m.key));
    if attempt = 20 then
      raise serialization_failure using message = 'entities of the graph were deleted all the while they were written';
    end if;
  end loop;

  delete from izzie_memory.graph_relations r where r.memory_id = any (replaced);
  delete from izzie_memory.graph_mentions m where m.memory_id = any (replaced);

  insert into izzie_memory.graph_mentions (memory_id, entity_key, user_id, confidence, source, context, extracted_at)
  select m.memory_id, m.key, m.user_id, m.confidence, m.source, m.context, m.created_at
  from unnest(mentions) m;

  insert into izzie_memory.graph_relations (memory_id, type, from_key, to_key, user_id, confidence, evidence)
  select (p ->> 'memoryId')::uuid, r ->> 'relationshipType',
    izzie_memory.entity_key(p ->> 'userId', izzie_memory.entity_label(r ->> 'fromType'), r ->> 'fromNormalized'),
    izzie_memory.entity_key(p ->> 'userId', izzie_memory.entity_label(r ->> 'toType'), r ->> 'toNormalized'),
    p ->> 'userId', (r ->> 'confidence')::double precision, r ->> 'evidence'
  from jsonb_array_elements(wanted) p, jsonb_array_elements(p -> 'relationships') r
  on conflict do nothing;

  update izzie_memory.graph_entities e
  set frequency = (select count(*) from izzie_memory.graph_mentions m where m.entity_key = e.key)
  where e.key = any (touched);

  update izzie_memory.graph_entities e
  set confidence = greatest(e.confidence, w.confidence), first_seen = least(e.first_seen, w.first_seen),
      last_seen = greatest(e.last_seen, w.last_seen),
      -- An address is a name only until another is known.
      name = case when izzie_memory.is_address(e.name) then coalesce(w.name, e.name) else e.name end
  from (select m.key, max(m.confidence) as confidence, min(m.created_at) as first_seen, max(m.created_at) as last_seen,
          (array_agg(m.name order by m.created_at, m.memory_id) filter (where not izzie_memory.is_address(m.name)))[1] as name
        from unnest(mentions) m group by m.key) w
  where e.key = any (touched) and e.key = w.key
    and (w.confidence > e.confidence or w.first_seen < e.first_seen or w.last_seen > e.last_seen
      or w.name is not null and izzie_memory.is_address(e.name));

  return query
  select (p ->> 'memoryId')::uuid, coalesce(g.epoch, horizon.epoch), coalesce(g.revision, horizon.revision),
    case when g.memory_id is null and not (p ->> 'deleted')::boolean then 'below_horizon'
         when g.memory_id is null or (g.epoch, g.revision) = ((p ->> 'epoch')::bigint, (p ->> 'revision')::bigint)
           then 'applied'
         else 'refused' end
  from jsonb_array_elements(projections) with ordinality as sent (p, place)
  left join izzie_memory.graph_memories g on g.memory_id = any (ids) and g.memory_id = (p ->> 'memoryId')::uuid
  order by place;
end $$;

-- After mentions were deleted in bulk: deletes the entities (of a user) that have none left and recounts the others.
-- The locks come first and in key order; the counts are then read in a snapshot of their own.
create or replace function izzie_memory.settle_entities(owner text) returns void
language plpgsql as $$
begin
  perform from izzie_memory.graph_entities e where owner is null or e.user_id = owner order by e.key for update;
  delete from izzie_memory.graph_entities e
  where (owner is null or e.user_id = owner)
    and not exists (select from izzie_memory.graph_mentions m where m.entity_key = e.key);
  update izzie_memory.graph_entities e set frequency = n.mentions
  from (select m.entity_key, count(*) as mentions from izzie_memory.graph_mentions m
        where owner is null or m.user_id = owner group by m.entity_key) n
  where e.key = n.entity_key and e.frequency <> n.mentions;
end $$;

-- Deletes at most so many entities that nothing mentions, with what still refers to them. Looks again under the locks;
-- what was mentioned since stays.
create or replace function izzie_memory.sweep_entities(at_most bigint) returns bigint
language plpgsql as $$
declare
  doomed text[] := array(
    select e.key from izzie_memory.graph_entities e where e.frequency = 0 order by e.key limit at_most);
  swept text[];
begin
  perform from izzie_memory.graph_entities e where e.key = any (doomed) order by e.key for update;
  with gone as (
    delete from izzie_memory.graph_entities e
    where e.key = any (doomed) and not exists (select from izzie_memory.graph_mentions m where m.entity_key = e.key)
    returning e.key
  )
  select coalesce(array_agg(key), '{}') into swept from gone;
  delete from izzie_memory.graph_relations r where r.from_key = any (swept) or r.to_key = any (swept);
  -- Whose count was wrong would be met first by every sweep.
  update izzie_memory.graph_entities e
  set frequency = (select count(*) from izzie_memory.graph_mentions m where m.entity_key = e.key)
  where e.key = any (doomed) and e.frequency = 0;
  return cardinality(swept);
end $$;

-- Raises the horizon, then deletes those of the memories that are tombstones not above it. False: there is no
-- registration that could hold a horizon, and nothing was done.
create or replace function izzie_memory.collect_tombstones(ids uuid[], horizon_epoch bigint, horizon_revision bigint)
returns boolean
language plpgsql as $$
#variable_conflict use_variable
begin
  update izzie_memory.graph_targets t
  set horizon_epoch = h.epoch, horizon_revision = h.revision
  from (values (horizon_epoch, horizon_revision)) h (epoch, revision)
  where t.kind = 'postgres' and (t.horizon_epoch, t.horizon_revision) < (h.epoch, h.revision);
  if not exists (select from izzie_memory.graph_targets t where t.kind = 'postgres') then
    return false;
  end if;
  perform from izzie_memory.graph_memories g where g.memory_id = any (ids) order by g.memory_id for update;
  delete from izzie_memory.graph_memories g
  where g.memory_id = any (ids) and g.deleted and not g.detached
    and (g.epoch, g.revision) <= (horizon_epoch, horizon_revision);
  return true;
end $$;
