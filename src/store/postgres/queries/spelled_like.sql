-- Spellings of a user's entities beside their names that contain one of the texts $3. $1 user, $2 labels, $4 how many at most, most frequent first
select a.label, a.name, izzie_memory.known_as($1, a.label, a.other) as known_as
from izzie_memory.entity_aliases a
where a.user_id = $1 and a.strength = 0 and a.label = any ($2)
  and exists (select from unnest($3::text[]) part where strpos(a.name, part) > 0)
group by a.label, a.name, a.other
order by count(*) desc, a.name collate "C", a.other collate "C"
limit $4
