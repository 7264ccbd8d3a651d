-- Every write of a memory, whoever makes it, passes the trigger functions below: they give the revision, keep the state and
-- owe the graph, in the writer's own transaction. SECURITY DEFINER, so that roles without rights on this schema can go on
-- writing the application's table; total, so that nothing in a row can make such a write fail.

-- What columns cannot carry travels in a transaction-local setting, for one memory, or for all that a statement touches
-- (memoryId '*'):
-- {memoryId, entities, relationships, conversationKey, detached: true | false | 'keep',
--  owe: 'later' | 'inline' | 'paged' | 'none'}.
create or replace function izzie_memory.write_context(id uuid) returns jsonb
language plpgsql stable as $$
declare
  context jsonb;
begin
  if coalesce(current_setting('izzie_memory.write_context', true), '') = '' then
    return null;
  end if;
  context := current_setting('izzie_memory.write_context', true)::jsonb;
  return case when context ->> 'memoryId' in (id::text, '*') then context end;
exception when invalid_text_representation then
  return null;
end $$;

-- Records that somebody owes the newest revision of a memory to a target; `asked` by a caller of ours, or not.
create or replace function izzie_memory.owe(
  target text, id uuid, user_id text, revision bigint, due timestamptz, asked boolean default true
) returns void
language sql as $$
  insert into izzie_memory.memory_sync as q (target, memory_id, user_id, revision, next_attempt_at, asked)
  values (target, id, user_id, revision, due, asked)
  on conflict (target, memory_id) do update
  set user_id = excluded.user_id, revision = excluded.revision, attempts = 0, state = 'pending',
      next_attempt_at = excluded.next_attempt_at, last_error = null, asked = excluded.asked
  where q.revision <= excluded.revision
$$;

-- Owes a memory to the current graph, unless it lies in this database and the writer's statement projects. The writer's
-- own fast path gets a head start of five seconds.
create or replace function izzie_memory.owe_graph(id uuid, user_id text, revision bigint, context jsonb) returns void
language plpgsql as $$
declare
  graph izzie_memory.graph_targets;
begin
  select * into graph from izzie_memory.graph_targets t where t.current;
  if not found or context ->> 'owe' = 'none' or (context ->> 'owe' in ('inline', 'paged') and graph.kind = 'postgres') then
    return;
  end if;
  perform izzie_memory.owe(graph.target, id, user_id, revision,
    clock_timestamp() + case when context ->> 'owe' = 'inline' then interval '5 seconds' else interval '0' end);
end $$;

-- Who said it, as callers tell.
create or replace function izzie_memory.speaker(metadata jsonb) returns text
language sql immutable parallel safe as $$
  select case when jsonb_typeof(metadata -> 'speaker') = 'string' then left(metadata ->> 'speaker', 200) end
$$;

-- The full-text vector of a memory. Words of its speaker have the label A; where nobody tells, the speaker is what
-- stands before the first colon of a line of a chat ("Ann Lee: …"): up to three words that begin like a name's, the first
-- in either case. The subject of a mail rarely does.
create or replace function izzie_memory.search_words(content text, summary text, speaker text) returns tsvector
language plpgsql immutable parallel safe as $$
declare
  said text := left(concat_ws(' ', content, summary), 200000);
  label text := substring(left(said, 100) from E'^\\s*([[:alpha:]][[:alnum:].''’_-]*( [[:upper:]][[:alnum:].''’_-]*){0,2}):\\s');
begin
  if label is not null and (speaker is null or lower(label) = lower(speaker)) then
    said := substr(said, strpos(said, ':') + 1);
  end if;
  return setweight(izzie_memory.words_of(coalesce(speaker, label, ''), false), 'A') || izzie_memory.words_of(said, false);
end $$;

-- The entities that other code brings in a row.
create or replace function izzie_memory.brought_hash(memory public.memory_entries) returns bigint
language sql immutable parallel safe as $$
  select jsonb_hash_extended(memory.metadata -> 'entities', 0)
$$;

-- All of a row that its state is made of: what izzie_memory_updated fires for. Tells that a row was changed past the
-- triggers.
create or replace function izzie_memory.row_hash(memory public.memory_entries) returns bigint
language sql immutable parallel safe as $$
  select hashtextextended((izzie_memory.field(memory.user_id) || izzie_memory.field(memory.content)
    || izzie_memory.field(memory.summary) || izzie_memory.field(memory.importance::text)
    || izzie_memory.field(coalesce(memory.is_deleted, false)::text)
    || izzie_memory.field(izzie_memory.micros(memory.created_at)::text)
    || izzie_memory.field(jsonb_hash_extended(memory.metadata -> 'entities', 0)::text)
    || izzie_memory.field(izzie_memory.speaker(memory.metadata))) collate "C", 0)
$$;

-- Writes the state of a live or soft-deleted row under a new revision. The number is drawn in the UPDATE branch again,
-- after the row lock was waited for: a number drawn before would lie below that of whoever held the lock.
create or replace function izzie_memory.record_state(
  memory public.memory_entries, entities jsonb, relationships jsonb, conversation_key text, detached boolean
) returns bigint
language plpgsql as $$
#variable_conflict use_column
declare
  is_gone boolean := coalesce(memory.is_deleted, false);
  known jsonb := izzie_memory.under_known_names(memory.user_id, entities, relationships);
  known_entities jsonb := coalesce(known -> 'entities', entities);
  known_relationships jsonb := coalesce(known -> 'relationships', relationships);
  hash bytea := izzie_memory.digest(memory.id, memory.user_id, memory.content, memory.summary,
    coalesce(memory.importance, 5), memory.created_at, known_entities, known_relationships);
  words tsvector := izzie_memory.search_words(memory.content, memory.summary, izzie_memory.speaker(memory.metadata));
  given bigint;
begin
  insert into izzie_memory.memory_state as s (memory_id, user_id, epoch, revision, deleted, detached, entities,
    relationships, given_entities, given_relationships, conversation_key, content_hash, row_hash, brought_hash, h1, h2,
    bucket, tsv, doc_length, asks)
  values (memory.id, memory.user_id, (select epoch from izzie_memory.settings),
    nextval('izzie_memory.revision_seq'), is_gone, is_gone and detached, known_entities, known_relationships,
    case when known is not null then entities end, case when known is not null then relationships end, conversation_key,
    sha256(convert_to(memory.content, 'UTF8')), izzie_memory.row_hash(memory), izzie_memory.brought_hash(memory),
    case when is_gone then 0 else izzie_memory.half(hash, 0) end,
    case when is_gone then 0 else izzie_memory.half(hash, 1) end,
    izzie_memory.bucket(memory.id), case when not is_gone then words end,
    (select coalesce(sum(cardinality(positions)), 0) from unnest(words)),
    -- a question mark, and no sentence that ends after it
    memory.content ~ E'\\?[^.!?]*$')
  on conflict (memory_id) do update
  set user_id = excluded.user_id, epoch = excluded.epoch, revision = nextval('izzie_memory.revision_seq'),
      deleted = excluded.deleted, detached = excluded.detached, entities = excluded.entities,
      relationships = excluded.relationships, given_entities = excluded.given_entities,
      given_relationships = excluded.given_relationships, conversation_key = excluded.conversation_key,
      content_hash = excluded.content_hash, row_hash = excluded.row_hash, brought_hash = excluded.brought_hash, h1 = excluded.h1, h2 = excluded.h2, tsv = excluded.tsv,
      doc_length = excluded.doc_length, asks = excluded.asks, changed_at = clock_timestamp()
  returning s.revision into given;
  return given;
end $$;

-- Turns the state of a memory whose row is gone into a tombstone under a new revision.
create or replace function izzie_memory.record_tombstone(id uuid, owner text, detached boolean) returns bigint
language plpgsql as $$
#variable_conflict use_column
declare
  given bigint;
begin
  insert into izzie_memory.memory_state as s (memory_id, user_id, epoch, revision, deleted, detached, h1, h2, bucket)
  values (id, owner, (select epoch from izzie_memory.settings), nextval('izzie_memory.revision_seq'),
    true, detached, 0, 0, izzie_memory.bucket(id))
  on conflict (memory_id) do update
  set epoch = excluded.epoch, revision = nextval('izzie_memory.revision_seq'), deleted = true,
      detached = excluded.detached, entities = '[]', relationships = '[]', given_entities = null,
      given_relationships = null, rejected = null, embedding_pieces = null, content_hash = null, row_hash = null, brought_hash = null, h1 = 0, h2 = 0,
      tsv = null, doc_length = 0, changed_at = clock_timestamp()
  returning s.revision into given;
  return given;
end $$;

create or replace function izzie_memory.memory_gone(id uuid, owner text) returns void
language plpgsql as $$
declare
  context jsonb := izzie_memory.write_context(id);
  detached boolean := coalesce(context -> 'detached' = 'true'
    or context ->> 'detached' = 'keep' and (select s.detached from izzie_memory.memory_state s where s.memory_id = id), false);
begin
  delete from izzie_memory.memory_vectors v where v.memory_id = id;
  -- The log of conflicts holds contents, which go with the row.
  delete from izzie_memory.conflicts c where c.memory_id = memory_gone.id;
  delete from izzie_memory.memory_sync q where q.memory_id = id and q.target in ('embedding', 'extraction');
  perform izzie_memory.learn_aliases(id, owner, '[]', '[]');
  perform izzie_memory.owe_graph(id, owner, izzie_memory.record_tombstone(id, owner, detached), context);
end $$;

-- What is kept of a memory beside its row goes with it to another user.
create or replace function izzie_memory.follow_owner(id uuid, owner text) returns void
language sql as $$
  update izzie_memory.memory_vectors v set user_id = owner where v.memory_id = follow_owner.id;
  update izzie_memory.memory_sync q set user_id = owner where q.memory_id = follow_owner.id;
  update izzie_memory.conflicts c set user_id = owner where c.memory_id = follow_owner.id;
$$;

create or replace function izzie_memory.current_space() returns integer
language sql stable as $$
  select s.space_id from izzie_memory.embedding_spaces s where s.current
$$;

-- What other code's change of a row means for the models. Entities that it brings need no extraction; a vector of its own
-- is the current one only where the current space is the application's column.
create or replace function izzie_memory.owe_models(memory public.memory_entries, given bigint, brought boolean, content_changed boolean)
returns void
language plpgsql as $$
begin
  if brought then
    delete from izzie_memory.memory_sync q where q.target = 'extraction' and q.memory_id = memory.id;
  elsif content_changed then
    perform izzie_memory.owe('extraction', memory.id, memory.user_id, given, clock_timestamp(), false);
  end if;
  if content_changed then
    delete from izzie_memory.memory_vectors v where v.memory_id = memory.id;
    if memory.embedding is not null and izzie_memory.current_space() = 1 then
      delete from izzie_memory.memory_sync q where q.target = 'embedding' and q.memory_id = memory.id;
    else
      perform izzie_memory.owe('embedding', memory.id, memory.user_id, given, clock_timestamp(), false);
    end if;
  end if;
end $$;

-- Rows of other code bring their entities under metadata.entities; in our own writes that is only data, and what they bring
-- is in canonical form. What the layer knows of a row it keeps otherwise.
create or replace function izzie_memory.memory_put(memory public.memory_entries, entities_changed boolean, content_changed boolean)
returns bigint
language plpgsql as $$
declare
  context jsonb := izzie_memory.write_context(memory.id);
  known izzie_memory.memory_state;
  entities jsonb;
  relationships jsonb;
  left_out jsonb;
  given bigint;
begin
  select * into known from izzie_memory.memory_state s where s.memory_id = memory.id;
  left_out := known.rejected;
  if context ? 'entities' then
    entities := izzie_memory.merge_entities(context -> 'entities');
    left_out := nullif(context -> 'rejected', 'null');
  elsif entities_changed and context is null then
    entities := izzie_memory.canonical_entities(memory.metadata -> 'entities');
    left_out := izzie_memory.rejected_entities(memory.metadata -> 'entities');
    left_out := case when left_out is not null then jsonb_build_object('entities', left_out) end;
  else
    entities := coalesce(known.given_entities, known.entities, '[]');
  end if;
  relationships := case
    when context ? 'relationships' then context -> 'relationships'
    when not entities_changed or context is not null then coalesce(known.given_relationships, known.relationships) end;
  if relationships is null or jsonb_typeof(relationships) <> 'array' then
    relationships := '[]';
  end if;
  perform izzie_memory.learn_aliases(memory.id, memory.user_id, case when memory.is_deleted then '[]' else entities end,
    case when memory.is_deleted then '[]' else relationships end);
  given := izzie_memory.record_state(memory, entities, relationships,
    case when context ? 'conversationKey' then context ->> 'conversationKey' else known.conversation_key end,
    coalesce(context -> 'detached' = 'true', false));
  if left_out is distinct from known.rejected then
    update izzie_memory.memory_state s set rejected = left_out where s.memory_id = memory.id;
  end if;
  if known.user_id <> memory.user_id then
    perform izzie_memory.follow_owner(memory.id, memory.user_id);
  end if;
  if context is null then
    perform izzie_memory.owe_models(memory, given, entities_changed and jsonb_array_length(entities) > 0, content_changed);
  end if;
  perform izzie_memory.owe_graph(memory.id, memory.user_id, given, context);
  return given;
end $$;

create or replace function izzie_memory.memory_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform izzie_memory.memory_put(new, true, true);
  return null;
end $$;

create or replace function izzie_memory.memory_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if old.id <> new.id then
    perform izzie_memory.memory_gone(old.id, old.user_id);
    perform izzie_memory.memory_put(new, true, true);
  else
    perform izzie_memory.memory_put(new, (old.metadata -> 'entities') is distinct from (new.metadata -> 'entities'),
      old.content is distinct from new.content);
  end if;
  return null;
end $$;

create or replace function izzie_memory.memory_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform izzie_memory.memory_gone(old.id, old.user_id);
  return null;
end $$;

create or replace function izzie_memory.memory_truncated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform izzie_memory.memory_gone(s.memory_id, s.user_id)
  from (select memory_id, user_id from izzie_memory.memory_state where not deleted or content_hash is not null
        order by memory_id) s;
  return null;
end $$;

-- A vector never stands beside a content that it was not made of. Before the row is written: a second update of it would
-- run the application's own triggers again.
create or replace function izzie_memory.drop_stale_vector() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if izzie_memory.write_context(new.id) is null then
    new.embedding := null;
  end if;
  return new;
end $$;

-- A memory as callers see it. Timestamps without time zone hold UTC.
create or replace view izzie_memory.memories as
select e.id, e.user_id, coalesce(e.conversation_id::text, s.conversation_key) as conversation_id, e.content, e.summary,
  case when jsonb_typeof(e.metadata) = 'object' then e.metadata else '{}' end as metadata,
  coalesce(e.importance, 5) as importance, coalesce(e.access_count, 0) as access_count,
  izzie_memory.moment(e.last_accessed_at) as last_accessed_at, coalesce(e.is_deleted, false) as is_deleted,
  izzie_memory.moment(e.created_at) as created_at, izzie_memory.moment(e.updated_at) as updated_at,
  coalesce(s.revision, 0) as revision, coalesce(s.entities, '[]') as entities,
  coalesce(s.relationships, '[]') as relationships, s.rejected,
  case when s.embedding_pieces ->> 'hash' = encode(s.content_hash, 'hex')
    then s.embedding_pieces -> izzie_memory.current_space()::text end as embedding_pieces
from public.memory_entries e
left join izzie_memory.memory_state s on s.memory_id = e.id;

-- Whoever reads through a view is under the policies that they are under at the table. Before Postgres 15 a view is under
-- those of its owner.
do $$
begin
  if current_setting('server_version_num')::integer >= 150000 then
    alter view izzie_memory.memories set (security_invoker = true);
    alter view izzie_memory.projections set (security_invoker = true);
  end if;
end $$;
