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
    when 'date' then 'Topic'
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

-- Lower case, single spaces. No class of spaces, for what is one depends on the locale.
create or replace function izzie_memory.plain_name(value text) returns text
language sql immutable parallel safe as $$
  select lower(btrim(regexp_replace(value,
    E'[\\u0009-\\u000d \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+', ' ', 'g')))
$$;

-- Lower case without the diacritics of Latin and Greek letters, the stress of Cyrillic ones and the dots of ё, with one
-- sigma and one hyphen. Only a database in UTF-8 can take letters apart.
create or replace function izzie_memory.folded(value text) returns text
language plpgsql immutable parallel safe as $$
declare
  plain text;
begin
  if getdatabaseencoding() <> 'UTF8' then
    return lower(value);
  end if;
  if value ~ '^[ -~]*$' then
    return translate(value, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
  end if;
  plain := lower(normalize(value, NFKD));
  -- Where the locale knows only ASCII, lower() does not reach other capitals.
  plain := translate(plain, 'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς', 'αβγδεζηθικλμνξοπρστυφχψωσ');
  plain := translate(plain, 'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐ', 'абвгдежзийклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґ');
  plain := translate(plain, E'ÞĦŊŦƏẞ\u2010', 'þħŋŧəß-');
  -- The capitals too: where the locale knows only ASCII, lower() does not reach them. What has no counterpart goes.
  plain := translate(plain, E'øØłŁđĐðÐı’ʼ\u00AD\u200B\uFEFF', 'oollddddi''''');
  plain := replace(replace(replace(translate(plain, 'ÆŒ', 'æœ'), 'æ', 'ae'), 'œ', 'oe'), 'ß', 'ss');
  plain := regexp_replace(plain, E'([a-zα-ω])[\\u0300-\\u036f]+', E'\\1', 'g');
  plain := regexp_replace(plain, E'(е)[\\u0300\\u0301\\u0308]+', E'\\1', 'g');
  return normalize(regexp_replace(plain, E'([аиоуыэюяі])[\\u0300\\u0301]+', E'\\1', 'g'), NFC);
end $$;

-- The words of a name without the quotes, brackets, commas and full stops around them. Underscores are spaces, and so are
-- hyphens between two other characters; an address or a handle is one word.
create or replace function izzie_memory.name_words(value text) returns text[]
language sql immutable parallel safe as $$
  with words as (
    select kept.word, place, part_place
    from regexp_split_to_table(regexp_replace(value, E'[\\u0001-\\u001f\\u007f-\\u009f]', ' ', 'g'), E'[\\s\\u1680\\u2028\\u2029]+')
        with ordinality as w (whole, place),
      regexp_split_to_table(case when whole like '%@%' then whole
        else translate(regexp_replace(whole, '([^-_])[-_]+(?=[^-_])', E'\\1 ', 'g'), '_', ' ') end, ' ')
        with ordinality as p (written, part_place),
      lateral (select btrim(written, '"''“”„«»`()[]<>,;:') as bare,
        rtrim(ltrim(written, '"''“”„«»`()[]<>,;:'), '"''“”„«»`()[]<>,;:.!?') as short) trimmed,
      -- No class of letters: what counts as one depends on the locale.
      lateral (select case when short ~ E'[^!-/:-@\\[-`{-~“”„«»]' then short else bare end as word) kept
    where kept.word <> ''
  )
  select coalesce(array_agg(word order by place, part_place), '{}')
  from words
  where word !~ '^-+$' or not exists (select from words other where other.word !~ '^-+$')
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

-- The normal form of a name: folded, without titles (person), legal suffixes (company) and the word "project" (project). The Rust function normalize (src/extraction/offline.rs) gives the
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
  collapsed := izzie_memory.plain_name(regexp_replace(izzie_memory.folded(value), E'[\\u0001-\\u001f\\u007f-\\u009f]', ' ', 'g'));
  return case when collapsed <> '' then collapsed else izzie_memory.plain_name(value) end;
end $$;

-- A folded text without spaces and punctuation.
create or replace function izzie_memory.letters(value text) returns text
language sql immutable parallel safe as $$
  select regexp_replace(izzie_memory.folded(value), E'[\\u0001-\\u002f\\u003a-\\u0060\\u007b-\\u00bf\\u1680\\u2000-\\u206f]', '', 'g')
$$;

-- The name that an entity is known by: what its value normalises to, or the spelling that was given for it. One with the same
-- letters as the value ("O'Brien", o_brien) says nothing new, and loses marks that tell ("C++", c). The Rust function
-- canonical_name (src/input/names.rs) gives the same.
create or replace function izzie_memory.canonical_name(type text, value text, given text) returns text
language plpgsql immutable parallel safe as $$
declare
  name text;
begin
  if given is not null then
    given := case when izzie_memory.letters(given) not in ('', izzie_memory.letters(value)) then given end;
  end if;
  name := izzie_memory.normal_name(type, coalesce(given, value));
  -- Folding can make more of a letter.
  return case when char_length(name) <= 500 then name else izzie_memory.normal_name(type, left(name, 500)) end;
end $$;

-- A text without the space around it; no class of spaces, for what is one depends on the locale.
create or replace function izzie_memory.trimmed(value text) returns text
language sql immutable parallel safe as $$
  select regexp_replace(value, E'^[\\u0009-\\u000d \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+|[\\u0009-\\u000d \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+$', '', 'g')
$$;

-- A number between 0 and 1 with six decimals, also of a text that is a number; what lies outside is bounded, what is no number 1.
create or replace function izzie_memory.canonical_confidence(value jsonb) returns numeric
language sql immutable parallel safe as $$
  select round(least(greatest(coalesce(case jsonb_typeof(value)
    when 'number' then (value #>> '{}')::numeric
    when 'string' then case when length(izzie_memory.trimmed(value #>> '{}')) <= 20
        and izzie_memory.trimmed(value #>> '{}') ~ E'^-?([0-9]+\\.?[0-9]*|\\.[0-9]+)$' then izzie_memory.trimmed(value #>> '{}')::numeric end
    end, 1), 0), 1), 6)
$$;

-- A text without the space around it, cut at its limit; of a whole number its digits ("2026" is a date).
create or replace function izzie_memory.canonical_text(value jsonb, limit_chars integer) returns text
language sql immutable parallel safe as $$
  select case jsonb_typeof(value)
    when 'string' then nullif(izzie_memory.trimmed(left(izzie_memory.trimmed(value #>> '{}'), limit_chars)), '')
    when 'number' then substring(value #>> '{}' from '^-?[0-9]{1,15}$') end
$$;

-- One name, or several of a list.
create or replace function izzie_memory.canonical_names(value jsonb, limit_chars integer) returns text
language sql immutable parallel safe as $$
  select case when jsonb_typeof(value) <> 'array' then izzie_memory.canonical_text(value, limit_chars) else (
    select izzie_memory.canonical_text(to_jsonb(string_agg(izzie_memory.canonical_text(one, limit_chars), ', ' order by place)), limit_chars)
    from jsonb_array_elements(value) with ordinality as x (one, place)) end
$$;

-- One of the entity types, however it is spaced and capitalised; null for any other.
create or replace function izzie_memory.canonical_type(value jsonb) returns text
language sql immutable parallel safe as $$
  select case when izzie_memory.entity_label(word) is not null then word end
  from (select translate(izzie_memory.trimmed(value #>> '{}'), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ -', 'abcdefghijklmnopqrstuvwxyz__') as word
        where jsonb_typeof(value) = 'string') w
$$;

-- Whatever stands in a list of entities, one by one: the entity in canonical form, or why it is left out. The Rust module
-- src/input/lenient.rs reads in the same way; tests/golden.rs binds them. Total: never raises.
create or replace function izzie_memory.read_entities(value jsonb)
returns table (place bigint, item jsonb, entity jsonb, reason text)
language sql immutable parallel safe as $$
  select x.place, x.item,
    case when told.reason is null then jsonb_strip_nulls(jsonb_build_object(
      'type', named.type,
      'value', named.name,
      'normalized', izzie_memory.canonical_name(named.type, named.name, izzie_memory.canonical_text(x.item -> 'normalized', 500)),
      'confidence', izzie_memory.canonical_confidence(x.item -> 'confidence'),
      'source', coalesce(izzie_memory.canonical_text(x.item -> 'source', 100), 'body'),
      'context', izzie_memory.canonical_text(x.item -> 'context', 2000),
      'assignee', izzie_memory.canonical_names(x.item -> 'assignee', 500),
      'deadline', izzie_memory.canonical_text(x.item -> 'deadline', 500),
      'priority', izzie_memory.canonical_text(x.item -> 'priority', 100))) end,
    told.reason
  from jsonb_array_elements(case when jsonb_typeof(value) = 'array' then value else '[]' end) with ordinality as x (item, place),
    lateral (select izzie_memory.canonical_type(x.item -> 'type') as type, izzie_memory.canonical_text(x.item -> 'value', 500) as name) named,
    lateral (select case
      when jsonb_typeof(x.item) <> 'object' then 'is not an object'
      when named.type is null then 'the type is unknown'
      when named.name is null then 'the value is empty or not a text' end as reason) told
$$;

-- Entities in canonical form as one list: doubles of one label and name are merged. A value that is a name stays before one that
-- is its owner's address, else the surest, of equally sure ones the first.
create or replace function izzie_memory.merge_entities(entities jsonb) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(jsonb_agg(entity order by label, normalized collate "C"), '[]')
  from (
    select distinct on (label, normalized) label, normalized, entity
    from (select izzie_memory.entity_label(x.entity ->> 'type') as label, x.entity ->> 'normalized' as normalized,
            (x.entity ->> 'confidence')::numeric as confidence, x.entity, x.place
          from jsonb_array_elements(case when jsonb_typeof(entities) = 'array' then entities else '[]' end)
            with ordinality as x (entity, place)) named
    order by label, normalized,
      izzie_memory.is_address(entity ->> 'value') and not izzie_memory.is_address(normalized), confidence desc, place
  ) merged
$$;

-- Whatever stands there, as a list of well-formed entities. Total: never raises.
create or replace function izzie_memory.canonical_entities(value jsonb) returns jsonb
language sql immutable parallel safe as $$
  select izzie_memory.merge_entities((select jsonb_agg(r.entity order by r.place) from izzie_memory.read_entities(value) r where r.reason is null))
$$;

-- What canonical_entities leaves out, as callers are told of it: [{index, type?, value?, reason}], at most fifty; null where
-- nothing is.
create or replace function izzie_memory.rejected_entities(value jsonb) returns jsonb
language sql immutable parallel safe as $$
  select jsonb_agg(case when number <= 50 then jsonb_strip_nulls(jsonb_build_object('index', place - 1,
      'type', izzie_memory.canonical_text(case when jsonb_typeof(item) = 'object' then item -> 'type' end, 100),
      'value', izzie_memory.canonical_text(case when jsonb_typeof(item) = 'object' then item -> 'value' end, 100), 'reason', reason))
    else jsonb_build_object('index', place - 1, 'reason', format('and %s more', total - 50)) end order by place)
  from (select r.*, row_number() over (order by r.place) as number, count(*) over () as total
        from izzie_memory.read_entities(value) r where r.reason is not null) left_out
  where number <= 51
$$;

-- Whatever stands there, as a list of well-formed relationships. Total: never raises.
create or replace function izzie_memory.canonical_relationships(value jsonb) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'fromType', from_type, 'fromValue', from_value,
      'fromNormalized', izzie_memory.canonical_name(from_type, from_value, from_name),
      'toType', to_type, 'toValue', to_value,
      'toNormalized', izzie_memory.canonical_name(to_type, to_value, to_name),
      'relationshipType', relationship_type,
      'confidence', izzie_memory.canonical_confidence(item -> 'confidence'),
      'evidence', coalesce(izzie_memory.canonical_text(item -> 'evidence', 2000), '')) order by place), '[]')
  from (
    select item, place, izzie_memory.canonical_type(item -> 'fromType') as from_type,
      izzie_memory.canonical_type(item -> 'toType') as to_type,
      translate(izzie_memory.canonical_text(item -> 'relationshipType', 100), 'abcdefghijklmnopqrstuvwxyz -', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ__')
        as relationship_type,
      izzie_memory.canonical_text(item -> 'fromValue', 500) as from_value,
      izzie_memory.canonical_text(item -> 'fromNormalized', 500) as from_name,
      izzie_memory.canonical_text(item -> 'toValue', 500) as to_value,
      izzie_memory.canonical_text(item -> 'toNormalized', 500) as to_name
    from jsonb_array_elements(case when jsonb_typeof(value) = 'array' then value else '[]' end) with ordinality as x (item, place)
    where jsonb_typeof(item) = 'object'
  ) named
  where from_value is not null and to_value is not null and from_type is not null and to_type is not null
    and relationship_type in ('WORKS_WITH', 'REPORTS_TO', 'WORKS_FOR', 'LEADS', 'WORKS_ON', 'EXPERT_IN',
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

-- What the graph shall hold of memories now: the JSON form of the Rust type Projection. A live memory whose row is not seen
-- has none, rather than an empty one. A view, so that many are read in
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
left join public.memory_entries e on e.id = s.memory_id and not s.deleted
where s.deleted or e.id is not null;

create or replace function izzie_memory.projection(of uuid) returns jsonb
language sql stable as $$
  select p.projection from izzie_memory.projections p where p.memory_id = projection.of
$$;
