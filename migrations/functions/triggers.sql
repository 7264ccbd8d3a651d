-- What this layer does to the application's table: triggers, last of all. Their lock on the table is held for as long as this
-- file takes, and a writer finds every function that they call.

-- A condition is run as the writer, who may be denied our functions: it calls none.
create or replace trigger izzie_memory_rewritten before update on public.memory_entries
  for each row when (old.content is distinct from new.content and old.embedding is not distinct from new.embedding
    and new.embedding is not null)
  execute function izzie_memory.drop_stale_vector();
create or replace trigger izzie_memory_inserted after insert on public.memory_entries
  for each row execute function izzie_memory.memory_inserted();
-- Only what the graph or the full-text vector holds: reading a memory (access count) and filling its embedding owe nothing.
create or replace trigger izzie_memory_updated after update on public.memory_entries
  for each row when (
    (old.id, old.user_id, old.content, old.summary, old.importance, coalesce(old.is_deleted, false), old.created_at,
     old.metadata -> 'entities', old.metadata -> 'speaker')
    is distinct from
    (new.id, new.user_id, new.content, new.summary, new.importance, coalesce(new.is_deleted, false), new.created_at,
     new.metadata -> 'entities', new.metadata -> 'speaker'))
  execute function izzie_memory.memory_updated();
create or replace trigger izzie_memory_deleted after delete on public.memory_entries
  for each row execute function izzie_memory.memory_deleted();
create or replace trigger izzie_memory_truncated after truncate on public.memory_entries
  for each statement execute function izzie_memory.memory_truncated();
