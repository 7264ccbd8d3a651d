-- All live memories of a user, as far as ranking looks at them, and where the words and names of a question occur.
-- Nothing is joined here that Rust can join: on tables without statistics the planner takes nested loops for it.
-- $1 user, $2 question, $3 whether its words are looked for, $4 its vector, $5 the vector's space,
-- filters, null for none: $6 conversation, $7 least importance, $8 since, $9 until, $10 metadata, $11 entities,
-- $12 what may be names of entities, as the keys of an object, $13 how many words of the question are looked for at most: where it has more,
-- those of the fewest memories, and of these the last ones,
-- $14 the question within the question, empty for none: its words come first,
-- $15 the words of dates, which $2 is without
with words as materialized (
  select lexeme, w.positions[1] as place, f.lexeme is not null as in_focus, w.lexeme is null as is_date
  from unnest(izzie_memory.words_of($2, true)) w
  full join unnest(izzie_memory.words_of($15, true)) d using (lexeme)
  left join unnest(izzie_memory.words_of($14, true)) f using (lexeme)
  where $3
), chosen as (
  select lexeme, place, in_focus, is_date from words where (select count(*) from words) <= $13
  union all
  (
    select w.lexeme, w.place, w.in_focus, w.is_date
    from words w
    join (
      select lexeme, count(*) as holders
      from izzie_memory.memory_state s
      cross join lateral unnest(tsvector_to_array(s.tsv)) as lexeme
      -- a join would be a nested loop where the planner knows no better
      where (select count(*) from words) > $13 and s.user_id = $1 and not s.deleted
        and (select jsonb_object_agg(w.lexeme, null) from words w) ? lexeme
      group by lexeme
    ) known using (lexeme)
    order by not w.in_focus, known.holders, w.place desc, w.lexeme
    limit $13
  )
), asked as materialized (
  select row_number() over (order by place, lexeme)::integer as number, in_focus, is_date,
    ('''' || replace(replace(lexeme, E'\\', E'\\\\'), '''', '''''') || '''')::tsquery as word
  from chosen
), wanted as materialized (
  -- the filter's entities, also under the names they are known by
  select jsonb_agg(alternatives) as entities
  from jsonb_array_elements($11) wanted
  cross join lateral (
    select jsonb_agg(distinct alternative) as alternatives
    from jsonb_array_elements(wanted) one
    cross join lateral (values (one), (jsonb_build_array(one -> 0 || jsonb_build_object('normalized',
      izzie_memory.known_as($1, izzie_memory.entity_label(one -> 0 ->> 'type'), one -> 0 ->> 'normalized'))))) v (alternative)
  ) a
), spelled as materialized (
  -- memories whose entity has another normalized name than the filter's, and was spelled like that
  select a.memory_id, one
  from wanted
  cross join lateral jsonb_array_elements(wanted.entities) alternatives
  cross join lateral jsonb_array_elements(alternatives) one
  join izzie_memory.entity_aliases a
    on a.user_id = $1 and md5(a.name) = md5(one -> 0 ->> 'normalized') and a.name = one -> 0 ->> 'normalized'
      and a.label = izzie_memory.entity_label(one -> 0 ->> 'type')
  join izzie_memory.memory_state t
    on t.memory_id = a.memory_id
      and coalesce(t.given_entities, t.entities) @> jsonb_build_array(one -> 0 || jsonb_build_object('normalized', a.other))
), features as (
  select array_agg(e.id) as ids,
    array_agg(coalesce(uuid_hash_extended(e.conversation_id, 0), hashtextextended(s.conversation_key, 0))) as conversations,
    array_agg(date_part('epoch', izzie_memory.calendar(e.created_at))) as created_at, array_agg(s.arrival) as arrivals,
    array_agg(s.doc_length) as lengths, array_agg(s.asks) as asks,
    array_agg(coalesce(e.importance, 5)) as importances,
    array_agg(coalesce(($6::text is null or coalesce(e.conversation_id::text, s.conversation_key) = $6)
      and ($7::integer is null or coalesce(e.importance, 5) >= $7)
      and ($8::timestamptz is null or e.created_at >= $8 at time zone 'UTC')
      and ($9::timestamptz is null or e.created_at < $9 at time zone 'UTC')
      and ($10::jsonb is null or e.metadata @> $10)
      and ($11::jsonb is null or not exists (
        select from jsonb_array_elements((select w.entities from wanted w)) alternatives
        where not exists (
          select from jsonb_array_elements(alternatives) one
          where s.entities @> one or s.given_entities @> one or (s.memory_id, one) in (select p.memory_id, p.one from spelled p)))), false)) as allowed
  from izzie_memory.memory_state s
  join public.memory_entries e on e.id = s.memory_id
  where s.user_id = $1 and not s.deleted
), hits as (
  select array_agg(a.number) as hit_words, array_agg(s.memory_id) as hit_ids,
    array_agg(a.in_focus) as hit_in_focus, array_agg(a.is_date) as hit_is_date,
    array_agg(ts_rank('{1,1,1,1}', s.tsv, a.word)) as hit_ranks,
    array_agg(ts_rank('{0,0,0,1}', s.tsv, a.word) > 0) as hit_speakers
  from izzie_memory.memory_state s
  join asked a on s.tsv @@ a.word
  where s.user_id = $1 and not s.deleted and s.tsv @@ (select string_agg(word::text, ' | ')::tsquery from asked)
), mentions as (
  select array_agg(name) as names, array_agg(s.memory_id) as name_ids
  from izzie_memory.memory_state s
  cross join lateral unnest(s.names) as name
  where s.user_id = $1 and not s.deleted and s.names <> '{}' and $12::jsonb ? name
), given as materialized (
  select izzie_memory.as_vector($4) as vector
), cosines as (
  select array_agg(c.memory_id) as similar_ids, array_agg(c.similarity) as similarities
  from (
    select e.id as memory_id, 1 - izzie_memory.distance(e.embedding, g.vector) as similarity
    from public.memory_entries e, given g
    where $5 = 1 and e.user_id = $1 and e.embedding is not null
    union all
    select v.memory_id, 1 - izzie_memory.distance(v.embedding, g.vector)
    from izzie_memory.memory_vectors v, given g
    where v.space_id = $5 and $5 <> 1 and v.user_id = $1
  ) c
)
select coalesce(ids, '{}') as ids, coalesce(conversations, '{}') as conversations,
  coalesce(created_at, '{}') as created_at, coalesce(arrivals, '{}') as arrivals, coalesce(lengths, '{}') as lengths,
  coalesce(asks, '{}') as asks, coalesce(importances, '{}') as importances, coalesce(allowed, '{}') as allowed,
  coalesce(similar_ids, '{}') as similar_ids, coalesce(similarities, '{}') as similarities,
  coalesce(hit_words, '{}') as hit_words, coalesce(hit_ids, '{}') as hit_ids, coalesce(hit_in_focus, '{}') as hit_in_focus,
  coalesce(hit_is_date, '{}') as hit_is_date, coalesce(hit_ranks, '{}') as hit_ranks,
  coalesce(hit_speakers, '{}') as hit_speakers, coalesce(names, '{}') as names, coalesce(name_ids, '{}') as name_ids
from features, hits, mentions, cosines
