select izzie_memory.known_as($1, $2, name) from unnest($3::text[]) with ordinality as n (name, place) order by place
