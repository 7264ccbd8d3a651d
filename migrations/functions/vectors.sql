-- pgvector may lie in a schema that no session looks in. These bodies are bound when they are made, and the statements of
-- the core need no name of its.

create or replace function izzie_memory.as_vector(value real[]) returns vector
language sql immutable parallel safe
return value::vector;

create or replace function izzie_memory.as_vectors(value text[]) returns vector[]
language sql immutable parallel safe
return value::vector[];

-- 1 minus the cosine.
create or replace function izzie_memory.distance(one vector, other vector) returns double precision
language sql immutable parallel safe
return one <=> other;
