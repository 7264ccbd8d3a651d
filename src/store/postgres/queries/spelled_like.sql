-- Spellings of a user's entities beside their names that contain one of the texts $3. $1 user, $2 labels, $4 how many at
-- most, most frequent first. What is only evidence counts as far as it makes two names one. What a spelling is known by
-- takes a walk: only as many are asked as can be needed, those that are their own name counted in.
select s.label, s.name, k.known_as
from (
  select a.label, a.name, a.other, min(a.strength) as strength, count(*) as times
  from izzie_memory.entity_aliases a
  where a.user_id = $1 and a.label = any ($2)
    and exists (select from unnest($3::text[]) part where strpos(a.name, part) > 0)
  group by a.label, a.name, a.other
  order by times desc, a.name collate "C", a.other collate "C"
  limit 4 * $4
) s, lateral (select izzie_memory.known_as($1, s.label, s.other) as known_as) k
where s.name <> k.known_as and (s.strength = 0 or izzie_memory.known_as($1, s.label, s.name) = k.known_as)
order by s.times desc, s.name collate "C", s.other collate "C"
limit $4
