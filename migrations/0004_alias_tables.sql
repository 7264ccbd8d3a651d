-- Several names of one entity of one user. Each memory that gives evidence has it in entity_aliases; which names are the
-- same is derived from all of it on read, so it depends on no order, and ends with the evidence. What the graph shall hold
-- (memory_state.entities, relationships) has every name replaced by the one that the entity is known by; what was given
-- stays beside it (given_entities, given_relationships).

-- Evidence, in both directions. Strength 3: somebody states it (SAME_AS with confidence 1). 2: it was read somewhere
-- (SAME_AS with less, at least 0.5, as extractors give for "Bob Smith <bob@acme.com>"). 1: an address whose local part is
-- first.last. 0 is none, and has one direction: an entity was spelled `name`, though its normalized name is `other`.
create table izzie_memory.entity_aliases (
  memory_id uuid not null,
  user_id   text not null,
  label     text not null,
  name      text not null,
  other     text not null,
  strength  smallint not null check (strength between 0 and 3)
);
create index entity_aliases_memory_idx on izzie_memory.entity_aliases (memory_id);
-- Hashed, for names can be longer than an index entry may be.
create index entity_aliases_name_idx on izzie_memory.entity_aliases (user_id, md5(name), label);

-- Users among whose names something changed, and when it is certain that every writer who did not see it has ended:
-- once no transaction below `settled_from` runs. No row is ever waited for: writers only insert.
create table izzie_memory.alias_changes (
  id           bigint primary key generated always as identity,
  user_id      text not null,
  settled_from xid8
);
create index alias_changes_user_idx on izzie_memory.alias_changes (user_id);

insert into izzie_memory.jobs (name, phase) values ('adopt', 'adopt');
