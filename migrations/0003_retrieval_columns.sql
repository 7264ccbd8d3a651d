-- What retrieval reads beside the full-text vector and the vectors.

-- The order in which memories arrived: those of a conversation with the same date follow one another in it.
create sequence izzie_memory.arrival_seq as bigint;

-- The next number, or the one that a batch has set aside for the memory it is about to write.
create function izzie_memory.arrival() returns bigint
language plpgsql volatile as $$
begin
  return coalesce(nullif(current_setting('izzie_memory.arrival', true), '')::bigint,
    nextval('izzie_memory.arrival_seq'));
end $$;

alter table izzie_memory.memory_state add column arrival bigint not null default izzie_memory.arrival();

-- Whether its content ends with a question.
alter table izzie_memory.memory_state add column asks boolean not null default false;

-- The names of its entities, in normal form.
create function izzie_memory.entity_names(entities jsonb) returns text[]
language sql immutable parallel safe as $$
  select array(select distinct entity ->> 'normalized' from jsonb_array_elements(entities) entity order by 1)
$$;

alter table izzie_memory.memory_state add column names text[] generated always as (izzie_memory.entity_names(entities)) stored;
create index memory_state_names_idx on izzie_memory.memory_state using gin (names) where not deleted;

-- How the embedding of a content was made that was too long for the embedder: {hash: of the content, <space>: {count, bytes}}.
-- Null for most.
alter table izzie_memory.memory_state add column embedding_pieces jsonb;
