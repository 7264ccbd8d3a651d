-- The canonical form of what the graph holds of a memory, its digest, and the keys of its entities. The Rust side
-- computes the same digest and keys (src/model/digest.rs, src/model/entity.rs); golden vectors in tests/golden.rs bind them.

-- Length-prefixed text: no two different lists of fields can give the same bytes.
create or replace function izzie_memory.field(value text) returns text
language sql immutable parallel safe as $$
  select case when value is null then '-' else octet_length(value)::text || ':' || value end
$$;

create or replace function izzie_memory.entity_label(type text) returns text
language sql immutable parallel safe as $$
  select case type
    when 'person' then 'Person'
    when 'company' then 'Company'
    when 'project' then 'Project'
    when 'tool' then 'Project'
    when 'topic' then 'Topic'
    when 'action_item' then 'Topic'
    when 'location' then 'Location'
  end
$$;

create or replace function izzie_memory.entity_key(user_id text, label text, normalized text) returns text
language sql immutable parallel safe as $$
  select encode(sha256(convert_to(
    izzie_memory.field(user_id) || izzie_memory.field(label) || izzie_memory.field(normalized), 'UTF8')), 'hex')
$$;

create or replace function izzie_memory.bucket(memory_id uuid) returns integer
language sql immutable parallel safe as $$
  select (get_byte(hash, 0) << 2) | (get_byte(hash, 1) >> 6) from (select sha256(uuid_send(memory_id)) as hash) h
$$;

-- Lower case, single spaces.
create or replace function izzie_memory.plain_name(value text) returns text
language sql immutable parallel safe as $$
  select lower(btrim(regexp_replace(value, '\s+', ' ', 'g')))
$$;

-- Lower case without the diacritics of Latin letters. Only a database in UTF-8 can take letters apart.
create or replace function izzie_memory.folded(value text) returns text
language plpgsql immutable parallel safe as $$
declare
  plain text;
begin
  if getdatabaseencoding() <> 'UTF8' then
    return lower(value);
  end if;
  plain := lower(normalize(value, NFKD));
  -- The capitals too: where the locale knows only ASCII, lower() does not reach them. What has no counterpart goes.
  plain := translate(plain, E'øØłŁđĐðÐı’ʼ\u00AD\u200B\uFEFF', 'oollddddi''''');
  plain := replace(replace(replace(translate(plain, 'ÆŒ', 'æœ'), 'æ', 'ae'), 'œ', 'oe'), 'ß', 'ss');
  return normalize(regexp_replace(plain, '([a-z])[\u0300-\u036f]+', '\1', 'g'), NFC);
end $$;

-- The words of a name without the quotes, brackets, commas and full stops around them.
create or replace function izzie_memory.name_words(value text) returns text[]
language sql immutable parallel safe as $$
  select coalesce(array_agg(kept.word order by place) filter (where kept.word <> ''), '{}')
  from regexp_split_to_table(regexp_replace(value, '[\u0001-\u001f\u007f-\u009f]', ' ', 'g'), '[\s\u1680\u2028\u2029]+')
      with ordinality as w (written, place),
    lateral (select btrim(written, '"''“”„«»`()[]<>,;:') as bare,
      rtrim(ltrim(written, '"''“”„«»`()[]<>,;:'), '"''“”„«»`()[]<>,;:.!?') as short) trimmed,
    lateral (select case when short ~ '[[:alnum:]]' then short else bare end as word) kept
$$;

create or replace function izzie_memory.is_title(word text) returns boolean
language sql immutable parallel safe as $$
  select word in ('dr', 'mr', 'mrs', 'ms', 'miss', 'mx', 'prof', 'professor', 'doctor', 'sir', 'madam', 'dame', 'rev',
    'herr', 'herrn', 'frau', 'mme', 'mlle', 'monsieur', 'madame', 'senor', 'senora')
$$;

create or replace function izzie_memory.ends_company(word text) returns boolean
language sql immutable parallel safe as $$
  select word in ('inc', 'incorporated', 'ltd', 'limited', 'llc', 'l.l.c.', 'l.l.c', 'llp', 'plc', 'corp', 'corporation', 'gmbh',
    'mbh', 'ggmbh', 'kgaa', 'ohg', 's.a.', 's.a', 's.p.a.', 's.p.a', 'spa', 's.r.l.', 's.r.l', 'srl', 's.l.', 's.l', 's.a.s.', 's.a.s',
    'sarl', 'b.v.', 'b.v', 'n.v.', 'n.v', 'oy', 'oyj', 'aps', 'a/s', 'asa', 's.r.o.', 's.r.o', 'a.s.', 'a.s', 'd.o.o.', 'd.o.o', 'kft', 'pty',
    'pvt', 'co', 'ag', 'ab', 'se', 'sa', 'nv', 'bv', 'kg', 'as', '&', 'and', '+')
$$;

-- The normal form of a name that comes without one, as rows of other code have it: folded, without titles (person), legal
-- suffixes (company) and the word "project" (project). The Rust function normalize (src/extraction/offline.rs) gives the
-- same; golden names in tests/golden.rs bind them. Total, and never empty for a name that is not blank.
create or replace function izzie_memory.normal_name(type text, value text) returns text
language plpgsql immutable parallel safe as $$
declare
  words text[] := izzie_memory.name_words(izzie_memory.folded(value));
  collapsed text;
begin
  while type = 'person' and cardinality(words) > 1 and izzie_memory.is_title(words[1]) loop
    words := words[2:];
  end loop;
  while type = 'company' and cardinality(words) > 1 and izzie_memory.ends_company(words[cardinality(words)]) loop
    words := words[:cardinality(words) - 1];
  end loop;
  while type = 'project' and cardinality(words) > 1 and 'project' in (words[1], words[cardinality(words)]) loop
    words := case when words[1] = 'project' then words[2:] else words[:cardinality(words) - 1] end;
  end loop;
  if cardinality(words) > 0 then
    return izzie_memory.plain_name(array_to_string(words, ' '));
  end if;
  collapsed := izzie_memory.plain_name(izzie_memory.folded(value));
  return case when collapsed <> '' then collapsed else izzie_memory.plain_name(value) end;
end $$;

-- A confidence as JSON with six decimals, 1 when it is missing or no number between 0 and 1.
create or replace function izzie_memory.canonical_confidence(value jsonb) returns numeric
language sql immutable parallel safe as $$
  select case when jsonb_typeof(value) = 'number' and (value #>> '{}')::numeric between 0 and 1
         then round((value #>> '{}')::numeric, 6) else 1 end
$$;

create or replace function izzie_memory.canonical_text(value jsonb, limit_chars integer) returns text
language sql immutable parallel safe as $$
  select case when jsonb_typeof(value) = 'string' then nullif(left(btrim(value #>> '{}', E' \t\n\r'), limit_chars), '') end
$$;

-- Whatever stands there, as a list of well-formed entities: unknown types and nameless ones are dropped, doubles of
-- one label and name are merged. Total: never raises.
create or replace function izzie_memory.canonical_entities(value jsonb) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(jsonb_agg(entity order by label, normalized collate "C"), '[]')
  from (
    select distinct on (label, normalized) label, normalized, jsonb_strip_nulls(jsonb_build_object(
        'type', type,
        'value', name,
        'normalized', normalized,
        'confidence', confidence,
        'source', case when item ->> 'source' in ('metadata', 'body', 'subject') then item ->> 'source' else 'body' end,
        'context', izzie_memory.canonical_text(item -> 'context', 2000),
        'assignee', izzie_memory.canonical_text(item -> 'assignee', 500),
        'deadline', izzie_memory.canonical_text(item -> 'deadline', 500),
        'priority', case when item ->> 'priority' in ('low', 'medium', 'high') then item ->> 'priority' end
      )) as entity
    from (
      select item, item ->> 'type' as type, izzie_memory.entity_label(item ->> 'type') as label,
        izzie_memory.canonical_text(item -> 'value', 500) as name,
        coalesce(izzie_memory.plain_name(izzie_memory.canonical_text(item -> 'normalized', 500)),
          izzie_memory.normal_name(item ->> 'type', izzie_memory.canonical_text(item -> 'value', 500))) as normalized,
        izzie_memory.canonical_confidence(item -> 'confidence') as confidence
      from jsonb_array_elements(case when jsonb_typeof(value) = 'array' then value else '[]' end) as item
      where jsonb_typeof(item) = 'object'
    ) named
    where label is not null and name is not null
    order by label, normalized, confidence desc, name collate "C"
  ) merged
$$;

-- Whatever stands there, as a list of well-formed relationships. Total: never raises.
create or replace function izzie_memory.canonical_relationships(value jsonb) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'fromType', item ->> 'fromType', 'fromValue', from_value,
      'fromNormalized', coalesce(izzie_memory.plain_name(from_name), izzie_memory.normal_name(item ->> 'fromType', from_value)),
      'toType', item ->> 'toType', 'toValue', to_value,
      'toNormalized', coalesce(izzie_memory.plain_name(to_name), izzie_memory.normal_name(item ->> 'toType', to_value)),
      'relationshipType', item ->> 'relationshipType',
      'confidence', izzie_memory.canonical_confidence(item -> 'confidence'),
      'evidence', coalesce(izzie_memory.canonical_text(item -> 'evidence', 2000), '')) order by place), '[]')
  from (
    select item, place,
      izzie_memory.canonical_text(item -> 'fromValue', 500) as from_value,
      izzie_memory.canonical_text(item -> 'fromNormalized', 500) as from_name,
      izzie_memory.canonical_text(item -> 'toValue', 500) as to_value,
      izzie_memory.canonical_text(item -> 'toNormalized', 500) as to_name
    from jsonb_array_elements(case when jsonb_typeof(value) = 'array' then value else '[]' end) with ordinality as x (item, place)
    where jsonb_typeof(item) = 'object'
  ) named
  where from_value is not null and to_value is not null
    and izzie_memory.entity_label(item ->> 'fromType') is not null
    and izzie_memory.entity_label(item ->> 'toType') is not null
    and item ->> 'relationshipType' in ('WORKS_WITH', 'REPORTS_TO', 'WORKS_FOR', 'LEADS', 'WORKS_ON', 'EXPERT_IN',
      'LOCATED_IN', 'FRIEND_OF', 'FAMILY_OF', 'MARRIED_TO', 'SIBLING_OF', 'SAME_AS', 'PARTNERS_WITH', 'COMPETES_WITH',
      'OWNS', 'RELATED_TO', 'DEPENDS_ON', 'PART_OF', 'SUBTOPIC_OF', 'ASSOCIATED_WITH')
$$;

create or replace function izzie_memory.entity_fields(entity jsonb) returns text
language sql immutable parallel safe as $$
  select izzie_memory.field(entity ->> 'type') || izzie_memory.field(entity ->> 'normalized')
      || izzie_memory.field(entity ->> 'value')
      || izzie_memory.field(((entity ->> 'confidence')::numeric * 1000000)::bigint::text)
      || izzie_memory.field(entity ->> 'source') || izzie_memory.field(entity ->> 'context')
$$;

create or replace function izzie_memory.relationship_fields(relationship jsonb) returns text
language sql immutable parallel safe as $$
  select izzie_memory.field(relationship ->> 'relationshipType')
      || izzie_memory.field(relationship ->> 'fromType') || izzie_memory.field(relationship ->> 'fromNormalized')
      || izzie_memory.field(relationship ->> 'toType') || izzie_memory.field(relationship ->> 'toNormalized')
      || izzie_memory.field(((relationship ->> 'confidence')::numeric * 1000000)::bigint::text)
      || izzie_memory.field(relationship ->> 'evidence')
$$;

-- A moment of the application's within the years 1 to 9999, which every reader knows; infinity becomes the epoch.
create or replace function izzie_memory.calendar(value timestamp) returns timestamp
language sql immutable parallel safe as $$
  select case
    when isfinite(value) then greatest(least(value, '9999-12-31 23:59:59.999999'), '0001-01-01')
    when value is not null then timestamp 'epoch'
  end
$$;

create or replace function izzie_memory.micros(moment timestamp) returns bigint
language sql immutable parallel safe as $$
  select (extract(epoch from izzie_memory.calendar(moment)) * 1000000)::bigint
$$;

-- The same with time zone; the application's moments are in UTC.
create or replace function izzie_memory.moment(value timestamp) returns timestamptz
language sql immutable parallel safe as $$
  select izzie_memory.calendar(value) at time zone 'UTC'
$$;

-- The form of what is written to graphs. The Rust side has the same number (src/model/projection.rs).
create or replace function izzie_memory.projection_version() returns integer
language sql immutable parallel safe as $$ select 2 $$;

-- SHA-256 over the canonical form of a live memory. Its first eight bytes are the two digest halves.
create or replace function izzie_memory.digest(
  memory_id uuid, user_id text, content text, summary text, importance integer, created_at timestamp,
  entities jsonb, relationships jsonb
) returns bytea
language sql immutable parallel safe as $$
  select sha256(convert_to(
    izzie_memory.field(izzie_memory.projection_version()::text) || izzie_memory.field(memory_id::text) || izzie_memory.field(user_id)
    || izzie_memory.field(content) || izzie_memory.field(summary) || izzie_memory.field(importance::text)
    || izzie_memory.field(izzie_memory.micros(created_at)::text)
    || coalesce((select string_agg(f, '' order by f collate "C")
                 from (select 'e' || izzie_memory.entity_fields(e) as f from jsonb_array_elements(entities) e) x), '')
    || coalesce((select string_agg(f, '' order by f collate "C")
                 from (select 'r' || izzie_memory.relationship_fields(r) as f from jsonb_array_elements(relationships) r) x), ''),
    'UTF8'))
$$;

create or replace function izzie_memory.half(hash bytea, half integer) returns bigint
language sql immutable parallel safe as $$
  select (get_byte(hash, half * 4)::bigint << 24) | (get_byte(hash, half * 4 + 1) << 16)
       | (get_byte(hash, half * 4 + 2) << 8) | get_byte(hash, half * 4 + 3)
$$;

-- What the graph shall hold of memories now: the JSON form of the Rust type Projection. A view, so that many are read in
-- one scan: called once per memory, a function costs five times as much.
create or replace view izzie_memory.projections as
select s.memory_id, jsonb_build_object(
  'memoryId', s.memory_id, 'userId', s.user_id, 'epoch', s.epoch, 'revision', s.revision,
  'projectionVersion', izzie_memory.projection_version(), 'deleted', s.deleted, 'detached', s.detached, 'h1', s.h1, 'h2', s.h2, 'bucket', s.bucket,
  'content', coalesce(e.content, ''), 'summary', e.summary, 'importance', coalesce(e.importance, 5),
  'createdAt', coalesce(izzie_memory.micros(e.created_at), 0),
  'entities', case when s.deleted then '[]' else s.entities end,
  'relationships', case when s.deleted then '[]' else s.relationships end) as projection
from izzie_memory.memory_state s
left join public.memory_entries e on e.id = s.memory_id and not s.deleted;

create or replace function izzie_memory.projection(of uuid) returns jsonb
language sql stable as $$
  select p.projection from izzie_memory.projections p where p.memory_id = projection.of
$$;
