-- How the embedding of a content was made that was too long for the embedder: {hash: of the content, <space>: {count, bytes}}.
-- Null for most.
alter table izzie_memory.memory_state add column embedding_pieces jsonb;
