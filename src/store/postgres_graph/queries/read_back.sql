-- What the graph really holds. Each entity's mentions are counted once for the whole page, through their index. No
-- number is passed on that JSON has not.
with page as materialized (
  select m.memory_id, m.entity_key, m.confidence, m.source, m.context
  from izzie_memory.graph_mentions m where m.memory_id = any ($1)
), counts as materialized (
  select x.entity_key,
    (select count(*) from izzie_memory.graph_mentions m where m.entity_key = x.entity_key) as mentions
  from (select distinct p.entity_key from page p) x
), mentions as (
  select p.memory_id, jsonb_agg(jsonb_build_object(
      'entity_key', p.entity_key, 'user_id', coalesce(e.user_id, ''), 'label', coalesce(e.label, ''),
      'name', coalesce(e.name, ''), 'kind', coalesce(e.type, ''), 'normalized', coalesce(e.normalized, ''),
      'confidence', case when p.confidence between -1e300 and 1e300 then p.confidence end,
      'source', p.source, 'context', p.context, 'frequency', coalesce(e.frequency, -1), 'mentions', c.mentions)
    order by p.entity_key collate "C") as list
  from page p
  join counts c using (entity_key)
  left join izzie_memory.graph_entities e on e.key = p.entity_key
  group by p.memory_id
), relationships as (
  select r.memory_id, jsonb_agg(jsonb_build_object(
      'kind', r.type, 'from_key', r.from_key, 'to_key', r.to_key,
      'confidence', case when r.confidence between -1e300 and 1e300 then r.confidence end, 'evidence', r.evidence)
    order by r.type collate "C", r.from_key collate "C", r.to_key collate "C") as list
  from izzie_memory.graph_relations r where r.memory_id = any ($1)
  group by r.memory_id
)
select g.memory_id, g.user_id, g.epoch, g.revision, g.detached, g.h1, g.h2, g.bucket,
  coalesce(m.list, '[]') as mentions, coalesce(r.list, '[]') as relationships
from izzie_memory.graph_memories g
left join mentions m using (memory_id)
left join relationships r using (memory_id)
where g.memory_id = any ($1) and not g.deleted
