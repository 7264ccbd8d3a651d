-- Every text is literal: nothing of it is a pattern.
with wanted as (
  select * from jsonb_to_recordset($2) as wanted (type text, texts text[], words text[])
), ranked as (
  select e.*, least(
    (select min(case when e.normalized = text then 0 when starts_with(e.normalized, text) then 1 else 3 end)
     from unnest(wanted.texts) text where strpos(e.normalized, text) > 0),
    (select 2 from unnest(wanted.words) word where strpos(e.normalized, word) > 0 limit 1)) as rank
  from wanted
  join izzie_memory.graph_entities e on e.user_id = $1 and e.type = wanted.type and e.frequency > 0
)
select e.key, e.type, e.name, e.normalized, e.frequency, e.confidence, e.first_seen, e.last_seen
from ranked e
where e.rank is not null and e.normalized !~ $3
order by e.rank, e.frequency desc, e.normalized collate "C", e.type collate "C"
limit $4
