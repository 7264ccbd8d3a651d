-- What the graph really holds. Entities are counted once for the whole page. No number is passed on that JSON has not.
with mentions as materialized (
  select m.memory_id, m.entity_key, m.confidence, m.source, m.context
  from izzie_memory.graph_mentions m where m.memory_id = any ($1)
), counts as (
  select m.entity_key, count(*) as mentions
  from izzie_memory.graph_mentions m
  where m.entity_key in (select x.entity_key from mentions x)
  group by m.entity_key
)
select g.memory_id, g.user_id, g.epoch, g.revision, g.detached, g.h1, g.h2, g.bucket,
  (select coalesce(jsonb_agg(jsonb_build_object(
      'entity_key', m.entity_key, 'user_id', coalesce(e.user_id, ''), 'label', coalesce(e.label, ''),
      'name', coalesce(e.name, ''), 'kind', coalesce(e.type, ''), 'normalized', coalesce(e.normalized, ''),
      'confidence', case when m.confidence between -1e300 and 1e300 then m.confidence end,
      'source', m.source, 'context', m.context, 'frequency', coalesce(e.frequency, -1), 'mentions', c.mentions)
    order by m.entity_key collate "C"), '[]')
   from mentions m join counts c using (entity_key)
   left join izzie_memory.graph_entities e on e.key = m.entity_key
   where m.memory_id = g.memory_id) as mentions,
  (select coalesce(jsonb_agg(jsonb_build_object(
      'kind', r.type, 'from_key', r.from_key, 'to_key', r.to_key,
      'confidence', case when r.confidence between -1e300 and 1e300 then r.confidence end, 'evidence', r.evidence)
    order by r.type collate "C", r.from_key collate "C", r.to_key collate "C"), '[]')
   from izzie_memory.graph_relations r where r.memory_id = g.memory_id) as relationships
from izzie_memory.graph_memories g
where g.memory_id = any ($1) and not g.deleted
