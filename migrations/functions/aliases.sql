create or replace function izzie_memory.is_address(name text) returns boolean
language sql immutable parallel safe as $$
  select name ~ E'^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$'
$$;

-- Whether a person's name is no given name, which many share: an address, several words, or three letters of the scripts that
-- write a whole name as one word.
create or replace function izzie_memory.is_of_one(name text) returns boolean
language sql immutable parallel safe as $$
  select name ~ E'[ @]|^[\\u3400-\\u9fff\\uac00-\\ud7a3]{3,}$'
$$;

-- The name that an address gives away: bob.smith@acme.com is of a Bob Smith.
create or replace function izzie_memory.name_in_address(address text) returns text
language sql immutable parallel safe as $$
  select translate(substring(address from E'^([a-z]{2,}[._][a-z]{2,})@[^@\\s]+\\.[^@\\s.]+$'), '._', '  ')
$$;

-- What a memory's entities and relationships (in canonical form) say about names: stated relationships, an entity whose name
-- was given beside another spelling ("IBM", international_business_machines), addresses. Never of two types; and what was
-- only read never joins a given name, which many people share. What topics, dates and tasks are called is no name. Strength
-- 0 joins nothing: it is how an entity was spelled whose normalized name is another, so that it is found by that too.
create or replace function izzie_memory.alias_evidence(entities jsonb, relationships jsonb)
returns table (label text, name text, other text, strength smallint)
language sql immutable parallel safe as $$
  with said (label, name, other, strength) as (
    select izzie_memory.entity_label(r ->> 'fromType'), r ->> 'fromNormalized', r ->> 'toNormalized',
      case when (r ->> 'confidence')::numeric = 1 then 3 else 2 end
    from jsonb_array_elements(relationships) r
    where r ->> 'relationshipType' = 'SAME_AS' and r ->> 'fromType' = r ->> 'toType'
      and r ->> 'fromNormalized' <> r ->> 'toNormalized'
      and ((r ->> 'confidence')::numeric = 1 or (r ->> 'confidence')::numeric >= 0.5
        and (r ->> 'fromType' <> 'person' or izzie_memory.is_of_one(r ->> 'fromNormalized') and izzie_memory.is_of_one(r ->> 'toNormalized')))
    union all
    select izzie_memory.entity_label(e ->> 'type'), e ->> 'normalized', spelled.name, 2
    from jsonb_array_elements(entities) e,
      lateral (select izzie_memory.canonical_name(e ->> 'type', e ->> 'value', null) as name) spelled
    where e ->> 'type' in ('person', 'company', 'project', 'tool', 'location') and (e ->> 'confidence')::numeric >= 0.5
      and spelled.name <> e ->> 'normalized'
      and (e ->> 'type' <> 'person' or izzie_memory.is_of_one(spelled.name) and izzie_memory.is_of_one(e ->> 'normalized'))
    union all
    select 'Person', e ->> 'normalized', izzie_memory.name_in_address(e ->> 'normalized'), 1
    from jsonb_array_elements(entities) e
    where e ->> 'type' = 'person' and izzie_memory.name_in_address(e ->> 'normalized') is not null
  ), spelled (label, name, other) as (
    select izzie_memory.entity_label(e ->> 'type'), izzie_memory.canonical_name(e ->> 'type', e ->> 'value', null), e ->> 'normalized'
    from jsonb_array_elements(entities) e
  )
  select x.label, x.name, x.other, max(x.strength)::smallint
  from (
    select label, name, other, strength from said
    union all
    select label, other, name, strength from said
  ) x
  group by x.label, x.name, x.other
  union all
  select distinct label, name, other, 0::smallint from spelled where name <> other
$$;

-- The names that one is directly the same as. What was only read counts while neither of the two has another partner
-- that was read as well: of a name with two addresses, or an address with two names, nobody knows who is who.
create or replace function izzie_memory.same_names(owner text, of_label text, of_name text) returns setof text
language sql stable as $$
  with near as (
    select a.other, max(a.strength) as strength from izzie_memory.entity_aliases a
    where a.user_id = owner and md5(a.name) = md5(of_name) and a.name = of_name and a.label = of_label and a.strength > 0
    group by a.other
  )
  select n.other from near n
  where n.strength = 3
    or not exists (
      select from near x
      where x.other <> n.other and x.strength between n.strength and 2
        and izzie_memory.is_address(x.other) = izzie_memory.is_address(n.other))
    and not exists (
      select from izzie_memory.entity_aliases y
      where y.user_id = owner and md5(y.name) = md5(n.other) and y.name = n.other and y.label = of_label
        and y.other <> of_name and y.strength between n.strength and 2
        and izzie_memory.is_address(y.other) = izzie_memory.is_address(of_name))
$$;

-- The one name of all that are the same: no address where there is another, then the fullest, then by the alphabet.
create or replace function izzie_memory.known_as(owner text, of_label text, of_name text) returns text
language sql stable as $$
  with recursive same (name) as (
    select of_name
    union
    select found.name from same s, lateral izzie_memory.same_names(owner, of_label, s.name) found (name)
  )
  select s.name from same s
  order by izzie_memory.is_address(s.name), cardinality(string_to_array(s.name, ' ')) desc, s.name collate "C"
  limit 1
$$;

-- {label: {name: the name it is known by}} for those of these entities and relationships that are known by another one.
create or replace function izzie_memory.other_names(owner text, entities jsonb, relationships jsonb) returns jsonb
language sql stable as $$
  select jsonb_object_agg(label, names)
  from (
    select named.label, jsonb_object_agg(named.name, known.name) as names
    from (
      select izzie_memory.entity_label(e ->> 'type') as label, e ->> 'normalized' as name
      from jsonb_array_elements(entities) e
      union select izzie_memory.entity_label(r ->> 'fromType'), r ->> 'fromNormalized' from jsonb_array_elements(relationships) r
      union select izzie_memory.entity_label(r ->> 'toType'), r ->> 'toNormalized' from jsonb_array_elements(relationships) r
    ) named, lateral (select izzie_memory.known_as(owner, named.label, named.name) as name) known
    where exists (select from izzie_memory.entity_aliases a
        where a.user_id = owner and md5(a.name) = md5(named.name) and a.name = named.name and a.label = named.label
          and a.strength > 0)
      and known.name <> named.name
    group by named.label
  ) by_label
$$;

-- Entities and relationships under the names they are known by: {entities, relationships}; null where nothing changes.
-- What becomes a relationship of an entity with itself is left out.
create or replace function izzie_memory.under_known_names(owner text, entities jsonb, relationships jsonb) returns jsonb
language plpgsql stable as $$
declare
  names jsonb := izzie_memory.other_names(owner, entities, relationships);
begin
  if names is null then
    return null;
  end if;
  return jsonb_build_object(
    'entities', izzie_memory.merge_entities((
      select jsonb_agg(e || jsonb_build_object('normalized',
        coalesce(names -> izzie_memory.entity_label(e ->> 'type') ->> (e ->> 'normalized'), e ->> 'normalized')))
      from jsonb_array_elements(entities) e)),
    'relationships', coalesce((
      select jsonb_agg(r || jsonb_build_object('fromNormalized', ends.from_name, 'toNormalized', ends.to_name) order by place)
      from jsonb_array_elements(relationships) with ordinality as x (r, place),
        lateral (select
          coalesce(names -> izzie_memory.entity_label(r ->> 'fromType') ->> (r ->> 'fromNormalized'), r ->> 'fromNormalized') as from_name,
          coalesce(names -> izzie_memory.entity_label(r ->> 'toType') ->> (r ->> 'toNormalized'), r ->> 'toNormalized') as to_name) ends
      where (izzie_memory.entity_label(r ->> 'fromType'), ends.from_name) <> (izzie_memory.entity_label(r ->> 'toType'), ends.to_name)
    ), '[]'));
end $$;

-- Replaces the evidence that a memory gives. Where that may make other memories' names others, it is noted: what is
-- gone always, for those who said it too may be going at this moment; what is new unless it was known.
create or replace function izzie_memory.learn_aliases(id uuid, owner text, entities jsonb, relationships jsonb) returns void
language plpgsql as $$
declare
  before izzie_memory.entity_aliases[] := array(
    select a from izzie_memory.entity_aliases a where a.memory_id = id order by a.label, a.name, a.other, a.strength);
  after izzie_memory.entity_aliases[] := array(
    select (id, owner, e.label, e.name, e.other, e.strength)::izzie_memory.entity_aliases
    from izzie_memory.alias_evidence(entities, relationships) e order by e.label, e.name, e.other, e.strength);
begin
  if before = after then
    return;
  end if;
  delete from izzie_memory.entity_aliases a where a.memory_id = id;
  insert into izzie_memory.entity_aliases select a.* from unnest(after) a;
  insert into izzie_memory.alias_changes (user_id)
  select gone.user_id from (select * from unnest(before) except select * from unnest(after)) gone
  where gone.strength > 0
  union
  select come.user_id from (select * from unnest(after) except select * from unnest(before)) come
  where come.strength > 0 and not exists (select from izzie_memory.entity_aliases a
    where a.user_id = come.user_id and md5(a.name) = md5(come.name) and a.name = come.name and a.label = come.label
      and a.other = come.other and a.strength >= come.strength and a.memory_id <> id);
end $$;

-- Notes for new changes which writers have to end first; begins the job of a user for whom they have, all transactions
-- below `ended`. Answers 0 when there was nothing to do, -1 when writers have to be waited for.
create or replace function izzie_memory.begin_alias_job(ended xid8) returns integer
language plpgsql as $$
declare
  noted integer;
  begun integer;
begin
  update izzie_memory.alias_changes c set settled_from = pg_snapshot_xmax(pg_current_snapshot())
  where c.id in (select n.id from izzie_memory.alias_changes n where n.settled_from is null for update skip locked);
  get diagnostics noted = row_count;
  insert into izzie_memory.jobs (name, phase)
  select 'aliases:' || c.user_id, ended::text from izzie_memory.alias_changes c where c.settled_from <= ended
  order by c.id limit 1
  on conflict do nothing;
  get diagnostics begun = row_count;
  if noted + begun = 0 and exists (select from izzie_memory.alias_changes c where c.settled_from > ended) then
    return -1;
  end if;
  return noted + begun;
end $$;

-- Gives memories of a user whose names have become others a new revision, in pages. A user is begun once every writer
-- that may not have seen the change has ended. Answers how many memories were looked at, or what begin_alias_job does.
create or replace function izzie_memory.settle_aliases(page integer) returns integer
language plpgsql as $$
declare
  ended xid8 := pg_snapshot_xmin(pg_current_snapshot());
  job izzie_memory.jobs;
  owner text;
  ids uuid[];
begin
  select * into job from izzie_memory.jobs j where j.name like 'aliases:%' order by j.name limit 1 for update skip locked;
  if not found then
    return izzie_memory.begin_alias_job(ended);
  end if;
  owner := substr(job.name, length('aliases:') + 1);
  ids := izzie_memory.state_page(owner, job.after, page);
  if ids is null then
    delete from izzie_memory.alias_changes c where c.user_id = owner and c.settled_from <= job.phase::xid8;
    delete from izzie_memory.jobs j where j.name = job.name;
    return 1;
  end if;
  perform izzie_memory.rename_entities(ids);
  update izzie_memory.jobs j set after = ids[cardinality(ids)] where j.name = job.name;
  return cardinality(ids);
end $$;

-- New revisions for those of these memories whose entities are known by other names than their state has.
create or replace function izzie_memory.rename_entities(ids uuid[]) returns void
language plpgsql as $$
declare
  renamed uuid[] := array(
    select s.memory_id
    from izzie_memory.memory_state s,
      lateral (select coalesce(s.given_entities, s.entities) as entities, coalesce(s.given_relationships, s.relationships) as relationships) given,
      lateral (select izzie_memory.under_known_names(s.user_id, given.entities, given.relationships) as known) k
    where s.memory_id = any (ids) and not s.deleted
      and (s.entities, s.relationships) is distinct from
        (coalesce(k.known -> 'entities', given.entities), coalesce(k.known -> 'relationships', given.relationships))
    order by 1);
  target izzie_memory.graph_targets;
begin
  if cardinality(renamed) = 0 then
    return;
  end if;
  perform from izzie_memory.memory_state s where s.memory_id = any (renamed) order by s.memory_id for update;
  update izzie_memory.memory_state s
  set given_entities = case when k.known is not null then k.given_entities end,
      given_relationships = case when k.known is not null then k.given_relationships end,
      entities = k.entities, relationships = k.relationships, revision = nextval('izzie_memory.revision_seq'),
      h1 = izzie_memory.half(k.hash, 0), h2 = izzie_memory.half(k.hash, 1), changed_at = clock_timestamp()
  from (
    select o.memory_id, n.*, izzie_memory.digest(e.id, e.user_id, e.content, e.summary, coalesce(e.importance, 5),
      e.created_at, n.entities, n.relationships) as hash
    from izzie_memory.memory_state o
    join public.memory_entries e on e.id = o.memory_id,
      lateral (select g.*, coalesce(g.known -> 'entities', g.given_entities) as entities,
          coalesce(g.known -> 'relationships', g.given_relationships) as relationships
        from (select coalesce(o.given_entities, o.entities) as given_entities,
            coalesce(o.given_relationships, o.relationships) as given_relationships,
            izzie_memory.under_known_names(o.user_id, coalesce(o.given_entities, o.entities),
              coalesce(o.given_relationships, o.relationships)) as known) g) n
    where o.memory_id = any (renamed) and not o.deleted
  ) k
  where s.memory_id = k.memory_id and not s.deleted;
  select * into target from izzie_memory.graph_targets t where t.current;
  if target.kind = 'postgres' then
    perform izzie_memory.project_or_owe(renamed);
  elsif target.target is not null then
    perform izzie_memory.owe_many(target.target, renamed);
  end if;
end $$;

-- Whether work in pages is left over that a graph needs.
create or replace function izzie_memory.unfinished(graph text) returns boolean
language sql stable as $$
  select exists (select from izzie_memory.jobs j where j.name in ('adopt', 'renew', 'owe:' || graph))
    or exists (select from izzie_memory.alias_changes)
$$;
