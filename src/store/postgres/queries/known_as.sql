-- The names of the entities that $3 may mean: what each of them is known by, then what was spelled so, most often first.
-- $1 user, $2 label
select m.name
from (
  select izzie_memory.known_as($1, $2, n.name) as name, null::bigint as times, n.place
  from unnest($3::text[]) with ordinality as n (name, place)
  union all
  select izzie_memory.known_as($1, $2, a.other), count(*), min(n.place)
  from unnest($3::text[]) with ordinality as n (name, place)
  join izzie_memory.entity_aliases a
    on a.user_id = $1 and md5(a.name) = md5(n.name) and a.name = n.name and a.label = $2 and a.strength = 0
  group by a.other
) m
order by m.times desc nulls first, m.place, m.name collate "C"
limit 50
