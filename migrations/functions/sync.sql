-- Keeping graphs: which one is current, what they are owed in pages, who leads.

-- Registers a graph unless one is current, and begins the job that owes it every memory. Answers the current one.
create or replace function izzie_memory.register_target(name text, graph_kind text, id uuid, version integer)
returns izzie_memory.graph_targets
language plpgsql as $$
declare
  present izzie_memory.graph_targets;
begin
  insert into izzie_memory.graph_targets (target, kind, store_id, projection_version, current)
  values (name, graph_kind, id, version, true)
  on conflict do nothing
  returning * into present;
  if found then
    perform izzie_memory.begin_job('owe:' || name, 'early');
    return present;
  end if;
  select * into present from izzie_memory.graph_targets t where t.current;
  return present;
end $$;

-- Makes a graph the current one: the one that was of this kind before, or a new one. What the others were owed is
-- forgotten. Answers the target; whether its nodes have to be cleared first stands in the job `switch:<target>`.
create or replace function izzie_memory.switch_target(name text, graph_kind text, id uuid, version integer)
returns izzie_memory.graph_targets
language plpgsql as $$
declare
  present izzie_memory.graph_targets;
begin
  -- Writers read the current graph; this lock makes none wait, but a second switch.
  lock table izzie_memory.graph_targets in share row exclusive mode;
  select * into present from izzie_memory.graph_targets t where t.current;
  if present.kind = graph_kind then
    return present;
  end if;
  update izzie_memory.graph_targets t set current = false where t.current;
  update izzie_memory.graph_targets t set current = true, projection_version = version
  where t.target = (select o.target from izzie_memory.graph_targets o where o.kind = graph_kind order by o.registered_at limit 1)
  returning * into present;
  if not found then
    insert into izzie_memory.graph_targets (target, kind, store_id, projection_version, current)
    values (name, graph_kind, id, version, true)
    returning * into present;
  end if;
  delete from izzie_memory.jobs j where j.name like 'owe:%' or j.name like 'switch:%' or j.name like 'rebuild:%';
  delete from izzie_memory.memory_sync q where q.target not in ('embedding', 'extraction', present.target);
  perform izzie_memory.begin_job('switch:' || present.target, 'clear');
  return present;
end $$;

-- Begins a job, or finds it where it stopped.
create or replace function izzie_memory.begin_job(job text, first_phase text) returns izzie_memory.jobs
language plpgsql as $$
declare
  present izzie_memory.jobs;
begin
  insert into izzie_memory.jobs (name, phase) values (job, first_phase) on conflict do nothing;
  select * into present from izzie_memory.jobs j where j.name = job;
  return present;
end $$;

-- Begins a job; one that is under way begins anew, and nobody who has read the old one ends it.
create or replace function izzie_memory.restart_job(job text, first_phase text) returns void
language sql as $$
  insert into izzie_memory.jobs as j (name, phase) values (job, first_phase)
  on conflict (name) do update
  set phase = excluded.phase, after = null, begun_at = clock_timestamp(), settled_from = null
$$;

-- Whether another transaction of this database below `bound` is open. A snapshot would wait for other databases too.
create or replace function izzie_memory.open_below(bound xid8) returns boolean
language sql stable as $$
  select exists (select from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted and age(l.transactionid) > age(bound::xid)
      and (a.pid is null or a.datname = current_database()) and a.pid is distinct from pg_backend_pid())
$$;

-- Whether every writer has ended that may not have seen what a job was begun for.
create or replace function izzie_memory.job_settled(job text) returns boolean
language plpgsql as $$
declare
  bound xid8;
begin
  update izzie_memory.jobs j set settled_from = coalesce(j.settled_from, pg_snapshot_xmax(pg_current_snapshot()))
  where j.name = job
  returning j.settled_from into bound;
  return not izzie_memory.open_below(bound);
end $$;

-- The next memories (of a user) in id order, tombstones included; null after the last.
create or replace function izzie_memory.state_page(owner text, after uuid, page integer) returns uuid[]
language plpgsql stable as $$
declare
  from_id uuid := coalesce(after, '00000000-0000-0000-0000-000000000000');
begin
  -- Each case by itself, for each is then read from an index.
  if owner is null then
    return (select array_agg(p.memory_id order by p.memory_id) from (
      select s.memory_id from izzie_memory.memory_state s
      where s.memory_id >= from_id and s.memory_id is distinct from after
      order by s.memory_id limit page) p);
  end if;
  return (select array_agg(p.memory_id order by p.memory_id) from (
    select s.memory_id from izzie_memory.memory_state s
    where s.user_id = owner and s.memory_id >= from_id and s.memory_id is distinct from after
    order by s.memory_id limit page) p);
end $$;

-- Owes the next page of memories (of a user) to a graph, tombstones included, and notes in the job how far it is.
-- Memories that were deleted without their nodes become plain tombstones where `forget`. Answers how many; 0 at the end.
create or replace function izzie_memory.owe_page(job text, graph text, owner text, forget boolean, page integer) returns integer
language plpgsql as $$
declare
  ids uuid[];
begin
  perform from izzie_memory.jobs j where j.name = job for update;
  if not found then
    return 0; -- somebody else has ended it
  end if;
  ids := izzie_memory.state_page(owner, (select j.after from izzie_memory.jobs j where j.name = job), page);
  if ids is null then
    return 0;
  end if;
  if forget then
    perform from izzie_memory.memory_state s where s.memory_id = any (ids) and s.detached order by s.memory_id for update;
    update izzie_memory.memory_state s
    set detached = false, revision = nextval('izzie_memory.revision_seq'), changed_at = clock_timestamp()
    where s.memory_id = any (ids) and s.detached;
  end if;
  perform izzie_memory.owe_many(graph, ids);
  update izzie_memory.jobs j set after = ids[array_upper(ids, 1)] where j.name = job;
  return cardinality(ids);
end $$;

-- Owes the newest revision of these memories, due at once.
create or replace function izzie_memory.owe_many(graph text, ids uuid[]) returns integer
language plpgsql as $$
declare
  owed integer;
begin
  insert into izzie_memory.memory_sync as q (target, memory_id, user_id, revision)
  select graph, s.memory_id, s.user_id, s.revision
  from izzie_memory.memory_state s
  where s.memory_id = any (ids)
  order by s.memory_id
  on conflict (target, memory_id) do update
  set user_id = excluded.user_id, revision = greatest(q.revision, excluded.revision), attempts = 0, state = 'pending',
      next_attempt_at = clock_timestamp(), last_error = null;
  get diagnostics owed = row_count;
  return owed;
end $$;

-- The graph is ahead: this database was restored to the past. New writes continue in a higher epoch at once; the job
-- `renew` takes the others there.
create or replace function izzie_memory.raise_epoch(wanted bigint) returns void
language plpgsql as $$
begin
  update izzie_memory.settings s set epoch = wanted where s.epoch < wanted;
  if found then
    perform izzie_memory.restart_job('renew', 'early');
  end if;
end $$;

-- This code projects another form than the graph has: names and digests are made anew.
create or replace function izzie_memory.upgrade_projection(graph text, version integer) returns void
language plpgsql as $$
begin
  update izzie_memory.graph_targets t set projection_version = version
  where t.target = graph and t.projection_version < version;
  if found then
    perform izzie_memory.restart_job('renew', 'early');
  end if;
end $$;

-- Gives the next page of memories a new revision in the present epoch, with the names and the digest of today, and owes
-- them. Answers how many; 0 at the end.
create or replace function izzie_memory.renew_page(graph text, page integer) returns integer
language plpgsql as $$
declare
  ids uuid[];
begin
  perform from izzie_memory.jobs j where j.name = 'renew' for update;
  if not found then
    return 0; -- somebody else has ended it
  end if;
  ids := izzie_memory.state_page(null, (select j.after from izzie_memory.jobs j where j.name = 'renew'), page);
  if ids is null then
    return 0;
  end if;
  perform izzie_memory.renew(ids);
  perform izzie_memory.owe_many(graph, ids);
  update izzie_memory.jobs j set after = ids[array_upper(ids, 1)] where j.name = 'renew';
  return cardinality(ids);
end $$;

-- What a state's entities and relationships are by the names of today; as they were given. A row of other code may have
-- dates that were not understood once: they are added where metadata.entities is, but for them, what the state has.
create or replace function izzie_memory.rederived(
  state izzie_memory.memory_state, metadata jsonb, out entities jsonb, out relationships jsonb, out rejected jsonb
)
language plpgsql as $$
#variable_conflict use_variable
declare
  brought jsonb;
  dates jsonb;
begin
  entities := izzie_memory.canonical_entities(coalesce(state.given_entities, state.entities));
  relationships := izzie_memory.canonical_relationships(coalesce(state.given_relationships, state.relationships));
  rejected := state.rejected;
  select jsonb_agg(r.entity order by r.place) filter (where r.entity ->> 'type' <> 'date'),
    jsonb_agg(r.entity order by r.place) filter (where r.entity ->> 'type' = 'date')
  into brought, dates
  from izzie_memory.read_entities(metadata -> 'entities') r where r.reason is null;
  if dates is not null and izzie_memory.named_entities(brought) = izzie_memory.named_entities(entities) then
    entities := izzie_memory.merge_entities(entities || dates);
  end if;
end $$;

-- Which entities a list names: labels and names, in order.
create or replace function izzie_memory.named_entities(entities jsonb) returns text[]
language sql immutable parallel safe as $$
  select array(select distinct izzie_memory.entity_label(e ->> 'type') || ' ' || (e ->> 'normalized')
    from jsonb_array_elements(coalesce(entities, '[]')) e order by 1)
$$;

-- New revisions in the present epoch and form for these memories, and what this code derives of them: their content is as it
-- was, their entities have the names of today and give evidence of others under them, their words are those of today.
create or replace function izzie_memory.renew(ids uuid[]) returns void
language plpgsql as $$
declare
  present izzie_memory.memory_state;
  memory public.memory_entries;
  now_given record;
  known jsonb;
  hash bytea;
  words tsvector;
begin
  for present in
    select s.* from izzie_memory.memory_state s where s.memory_id = any (ids) order by s.memory_id for update
  loop
    select * into memory from public.memory_entries e where e.id = present.memory_id;
    select * into now_given from izzie_memory.rederived(present, memory.metadata);
    if not present.deleted then
      perform izzie_memory.learn_aliases(present.memory_id, present.user_id, now_given.entities, now_given.relationships);
    end if;
    known := izzie_memory.under_known_names(present.user_id, now_given.entities, now_given.relationships);
    hash := case when memory.id is not null and not present.deleted then izzie_memory.digest(memory.id, memory.user_id,
      memory.content, memory.summary, coalesce(memory.importance, 5), memory.created_at,
      coalesce(known -> 'entities', now_given.entities), coalesce(known -> 'relationships', now_given.relationships)) end;
    words := case when hash is not null then
      izzie_memory.search_words(memory.content, memory.summary, izzie_memory.speaker(memory.metadata)) end;
    update izzie_memory.memory_state s
    set epoch = (select epoch from izzie_memory.settings), revision = nextval('izzie_memory.revision_seq'),
        entities = coalesce(known -> 'entities', now_given.entities),
        relationships = coalesce(known -> 'relationships', now_given.relationships),
        given_entities = case when known is not null then now_given.entities end,
        given_relationships = case when known is not null then now_given.relationships end,
        h1 = coalesce(izzie_memory.half(hash, 0), s.h1), h2 = coalesce(izzie_memory.half(hash, 1), s.h2),
        tsv = words, doc_length = (select coalesce(sum(cardinality(positions)), 0) from unnest(words))
    where s.memory_id = present.memory_id;
  end loop;
end $$;

-- Gives one memory a version that the graph must accept although it holds this one, a tombstone if nothing is known of
-- the memory, and owes it.
create or replace function izzie_memory.supersede(id uuid, owner text, graph_epoch bigint, graph_revision bigint) returns void
language plpgsql as $$
declare
  present izzie_memory.memory_state;
begin
  select * into present from izzie_memory.memory_state s where s.memory_id = id for update;
  if not found then
    perform izzie_memory.record_tombstone(id, owner, false);
  elsif (present.epoch, present.revision) < (graph_epoch, graph_revision) then
    update izzie_memory.memory_state s set revision = nextval('izzie_memory.revision_seq') where s.memory_id = id;
  end if;
  select * into present from izzie_memory.memory_state s where s.memory_id = id;
  if (present.epoch, present.revision) < (graph_epoch, graph_revision) then
    -- Our numbers are behind the graph's: only a higher epoch is above them.
    update izzie_memory.settings s set epoch = graph_epoch + 1 where s.epoch <= graph_epoch;
    update izzie_memory.memory_state s set epoch = (select epoch from izzie_memory.settings) where s.memory_id = id;
  end if;
  perform izzie_memory.owe(t.target, id, present.user_id, present.revision, clock_timestamp())
  from izzie_memory.graph_targets t where t.current;
end $$;

-- Takes or renews a lease. Answers whether the holder has it now.
create or replace function izzie_memory.take_lease(lease text, candidate uuid, duration_ms bigint) returns boolean
language sql as $$
  insert into izzie_memory.leases as l (name, holder, lease_until)
  values (lease, candidate, clock_timestamp() + duration_ms * interval '1 millisecond')
  on conflict (name) do update set holder = excluded.holder, lease_until = excluded.lease_until
  where l.holder = excluded.holder or l.lease_until < clock_timestamp()
  returning true
$$;
