-- The application's table (adopted in place where it exists) and the tables of this layer.

do $$
declare
  problems text;
begin
  if to_regclass('public.memory_entries') is null then
    create table public.memory_entries (
      id               uuid primary key default gen_random_uuid(),
      conversation_id  uuid,
      user_id          text not null,
      content          text not null,
      summary          text,
      metadata         jsonb,
      embedding        vector(1536),
      importance       integer default 5,
      access_count     integer default 0,
      last_accessed_at timestamp,
      is_deleted       boolean default false,
      created_at       timestamp not null default (now() at time zone 'UTC'),
      updated_at       timestamp not null default (now() at time zone 'UTC')
    );
    create index memory_entries_user_id_idx on public.memory_entries (user_id);
    create index memory_entries_conversation_id_idx on public.memory_entries (conversation_id);
    create index memory_entries_created_at_idx on public.memory_entries (created_at);
    create index memory_entries_importance_idx on public.memory_entries (importance);
  end if;
  -- Anything else would make the application's own writes fail once there are triggers.
  select string_agg(format('%s is %s, not %s', w.name, coalesce(a.kind, 'missing'), array_to_string(w.kinds, ' or ')), '; ')
  into problems
  from (values ('id', array['uuid']), ('conversation_id', array['uuid']), ('user_id', array['text', 'character varying']),
      ('content', array['text', 'character varying']), ('summary', array['text', 'character varying']),
      ('metadata', array['jsonb']), ('embedding', array['vector(1536)']), ('importance', array['integer']),
      ('access_count', array['integer']), ('last_accessed_at', array['timestamp without time zone']),
      ('is_deleted', array['boolean']), ('created_at', array['timestamp without time zone']),
      ('updated_at', array['timestamp without time zone'])) as w (name, kinds)
  left join (
    select attname, regexp_replace(format_type(atttypid, case when format_type(atttypid, null) = 'vector' then atttypmod end),
      E'^.*\\.', '') as kind
    from pg_attribute where attrelid = 'public.memory_entries'::regclass and attnum > 0 and not attisdropped
  ) a on a.attname = w.name
  where coalesce(a.kind, '') <> all (w.kinds);
  if problems is not null then
    raise exception 'public.memory_entries is no table of memories: %', problems using errcode = 'datatype_mismatch';
  end if;
  if not exists (select from pg_index i where i.indrelid = 'public.memory_entries'::regclass and i.indisunique
      and i.indpred is null and i.indnkeyatts = 1
      and i.indkey[0] = (select attnum from pg_attribute where attrelid = i.indrelid and attname = 'id')) then
    raise exception 'public.memory_entries is no table of memories: its id is not unique' using errcode = 'datatype_mismatch';
  end if;
end $$;

-- What this database is. The epoch rises when the graph turns out to be ahead of it (it was restored to the past).
create table izzie_memory.settings (
  singleton boolean primary key default true check (singleton),
  epoch     bigint not null default 1 check (epoch > 0),
  -- when a sync over all memories last ended with nothing left
  last_sync timestamptz,
  -- when the last check over all memories that found nothing began: tombstones older than this have been seen by it
  last_clean_check timestamptz,
  -- when the last check of the background began
  last_check timestamptz,
  -- how far the background has compared rows with their states, in id order
  rows_compared_to uuid
);
insert into izzie_memory.settings default values;

-- CACHE 1: a session that keeps numbers back would hand out lower ones later.
create sequence izzie_memory.revision_seq as bigint cache 1;

-- One row per memory: its version, what the graph shall hold of it, its full-text vector; and its tombstone.
create table izzie_memory.memory_state (
  memory_id        uuid primary key,
  user_id          text not null,
  epoch            bigint not null check (epoch > 0),
  revision         bigint not null check (revision > 0),
  -- soft-deleted or gone: the graph must not hold it
  deleted          boolean not null,
  -- deleted with cascadeGraph: false: the node stays as it was
  detached         boolean not null default false check (deleted or not detached),
  entities         jsonb not null default '[]' check (jsonb_typeof(entities) = 'array'),
  relationships    jsonb not null default '[]' check (jsonb_typeof(relationships) = 'array'),
  -- both as they were given, where their entities are known by other names; else null
  given_entities      jsonb,
  given_relationships jsonb,
  -- what was left out of both when they were given, {entities: [{index, type?, value?, reason}], relationships: [the same]}
  rejected         jsonb,
  -- the caller's conversation id where it is no uuid and so has no place in the application's column
  conversation_key text,
  content_hash     bytea,
  -- of all of the row that this state is made of, and of the entities that it brought
  row_hash         bigint,
  brought_hash     bigint,
  h1               bigint not null check (h1 between 0 and 4294967295),
  h2               bigint not null check (h2 between 0 and 4294967295),
  bucket           integer not null check (bucket between 0 and 1023),
  tsv              tsvector,
  doc_length       integer not null default 0,
  -- when this revision was given
  changed_at       timestamptz not null default clock_timestamp()
);
-- One user's digests, and pages of their memories, from the index alone.
create index memory_state_user_idx on izzie_memory.memory_state (user_id, memory_id)
  include (bucket, h1, h2, epoch, revision, deleted, detached);
-- All digests, and the members of a bucket.
create index memory_state_bucket_idx on izzie_memory.memory_state (bucket) include (h1, h2, epoch, revision) where not deleted;
create index memory_state_tombstone_idx on izzie_memory.memory_state (changed_at) where deleted;
-- Soft-deleted memories, whose rows are still there.
create index memory_state_purge_idx on izzie_memory.memory_state (changed_at) where deleted and content_hash is not null;
create index memory_state_length_idx on izzie_memory.memory_state (user_id) include (doc_length) where not deleted;
create index memory_state_tsv_idx on izzie_memory.memory_state using gin (tsv) with (fastupdate = off);

-- Models and dimensions. Space 1 is the application's own column; the others live in memory_vectors.
create table izzie_memory.embedding_spaces (
  space_id      integer primary key generated by default as identity,
  model         text not null,
  dimensions    integer not null check (dimensions between 1 and 16000),
  in_app_column boolean not null default false,
  current       boolean not null default false,
  -- being filled beside the current one; nobody searches it
  filling       boolean not null default false check (not (filling and current)),
  -- the transaction that made it current by a reembed: older ones may still write for the space before
  switched_by   xid8,
  -- since when it is not current any more
  retired_at    timestamptz,
  unique (model, dimensions)
);
create unique index embedding_spaces_current_idx on izzie_memory.embedding_spaces (current) where current;
create unique index embedding_spaces_filling_idx on izzie_memory.embedding_spaces (filling) where filling;
insert into izzie_memory.embedding_spaces (space_id, model, dimensions, in_app_column, current)
values (1, 'text-embedding-3-small', 1536, true, true);
alter table izzie_memory.embedding_spaces alter column space_id restart with 2;

create table izzie_memory.memory_vectors (
  memory_id uuid not null,
  space_id  integer not null,
  user_id   text not null,
  embedding vector not null,
  primary key (memory_id, space_id)
);
create index memory_vectors_user_idx on izzie_memory.memory_vectors (user_id, space_id);

-- Which graph this database belongs to. At most one is current.
create table izzie_memory.graph_targets (
  target             text primary key,
  kind               text not null check (kind in ('neo4j', 'postgres')),
  store_id           uuid not null,
  projection_version integer not null,
  current            boolean not null default false,
  -- the beat this database last wrote to the graph, and the one it is about to write
  nonce              uuid,
  next_nonce         uuid,
  -- Tombstones up to this version may be gone: nothing at or below it is created in the graph.
  horizon_epoch      bigint not null default 0,
  horizon_revision   bigint not null default 0,
  registered_at      timestamptz not null default now()
);
create unique index graph_targets_current_idx on izzie_memory.graph_targets (current) where current;

-- The beats this database has written. A graph that shows one of these, but not the last, was restored from an old dump;
-- one that shows another is written by somebody else.
create table izzie_memory.beats (
  nonce      uuid primary key,
  target     text not null,
  written_at timestamptz not null default clock_timestamp()
);
create index beats_written_idx on izzie_memory.beats (written_at);

-- What is owed: a coalescing dirty set, not a log. One row per target and memory, always for the newest revision.
create table izzie_memory.memory_sync (
  target          text not null,
  memory_id       uuid not null,
  user_id         text not null,
  revision        bigint not null,
  attempts        integer not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  lease_token     uuid,
  lease_until     timestamptz,
  state           text not null default 'pending' check (state in ('pending', 'dead')),
  last_error      text,
  -- since when something is owed, whatever the revision
  owed_at         timestamptz not null default clock_timestamp(),
  -- false: the content comes from other code or from before this layer, so no paid model is asked unless by backfill
  asked           boolean not null default true,
  primary key (target, memory_id)
);
create index memory_sync_due_idx on izzie_memory.memory_sync (target, next_attempt_at) where state = 'pending';
create index memory_sync_models_idx on izzie_memory.memory_sync (target, asked, next_attempt_at)
  where state = 'pending' and target in ('embedding', 'extraction');
create index memory_sync_user_idx on izzie_memory.memory_sync (user_id, target, memory_id);

-- Who does what only one process should do (lead the upkeep). A lease ends by the database's clock.
create table izzie_memory.leases (
  name        text primary key,
  holder      uuid not null,
  lease_until timestamptz not null
);

-- Work in pages that must go on where it stopped: how far it is, in id order.
create table izzie_memory.jobs (
  name       text primary key,
  phase      text not null,
  after      uuid,
  begun_at   timestamptz not null default clock_timestamp(),
  -- transactions below this one may not have seen why the job was begun
  settled_from xid8
);

-- What a conflict between a row and its node came to, with the side that lost. `open`: nobody has decided.
create table izzie_memory.conflicts (
  id          bigint primary key generated always as identity,
  memory_id   uuid not null,
  user_id     text not null,
  strategy    text not null,
  outcome     text not null check (outcome in ('vector', 'graph', 'merged', 'open')),
  -- fields in which they differed
  fields      text[] not null,
  -- what each side held: {content, summary, importance, createdAt, entities, relationships}, null where there was none
  vector      jsonb,
  graph       jsonb,
  detected_at timestamptz not null default clock_timestamp(),
  resolved_at timestamptz
);
create index conflicts_user_idx on izzie_memory.conflicts (user_id, id);
create index conflicts_memory_idx on izzie_memory.conflicts (memory_id);
create unique index conflicts_open_idx on izzie_memory.conflicts (memory_id) where outcome = 'open';
