-- The graph inside Postgres: memory nodes, entities, mentions, relations. Written by one function only.

create table izzie_memory.graph_memories (
  memory_id uuid primary key,
  user_id   text not null,
  epoch     bigint not null,
  revision  bigint not null,
  h1        bigint not null,
  h2        bigint not null,
  bucket    integer not null,
  deleted   boolean not null,
  detached  boolean not null,
  -- how many a projection gave it; other code that removes some shows in the difference
  mentions      integer,
  relationships integer
);
-- One user's digests, and pages of their memories, from the index alone.
create index graph_memories_user_idx on izzie_memory.graph_memories (user_id, memory_id)
  include (bucket, h1, h2, epoch, revision, deleted, detached);
-- All digests, and the members of a bucket.
create index graph_memories_bucket_idx on izzie_memory.graph_memories (bucket) include (h1, h2, epoch, revision)
  where not deleted and not detached;
-- What reads of the graph leave out.
create index graph_memories_detached_idx on izzie_memory.graph_memories (user_id, memory_id) where detached;

create table izzie_memory.graph_entities (
  key        text primary key,
  user_id    text not null,
  label      text not null,
  normalized text not null,
  name       text not null,
  type       text not null,
  -- the number of mentions; recomputed, never counted up or down
  frequency  bigint not null default 0,
  confidence double precision not null,
  first_seen bigint not null,
  last_seen  bigint not null
);
-- A user's entities of a type in the order in which they are listed.
create index graph_entities_user_idx on izzie_memory.graph_entities (user_id, type, frequency desc, normalized collate "C");
-- What the sweep is for.
create index graph_entities_unmentioned_idx on izzie_memory.graph_entities (key) where frequency = 0;

create table izzie_memory.graph_mentions (
  memory_id    uuid not null,
  entity_key   text not null,
  user_id      text not null,
  confidence   double precision not null,
  source       text not null,
  context      text,
  extracted_at bigint not null,
  primary key (memory_id, entity_key)
);
-- An entity's memories, newest first.
create index graph_mentions_entity_idx on izzie_memory.graph_mentions (entity_key, extracted_at desc, memory_id);

-- One row per memory that supports the relation.
create table izzie_memory.graph_relations (
  memory_id  uuid not null,
  type       text not null,
  from_key   text not null,
  to_key     text not null,
  user_id    text not null,
  confidence double precision not null,
  evidence   text not null,
  primary key (memory_id, type, from_key, to_key)
);
create index graph_relations_from_idx on izzie_memory.graph_relations (from_key);
create index graph_relations_to_idx on izzie_memory.graph_relations (to_key);

create type izzie_memory.wanted_mention as (
  memory_id uuid, key text, user_id text, label text, normalized text, name text, type text,
  confidence double precision, source text, context text, created_at bigint
);
