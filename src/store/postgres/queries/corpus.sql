-- All live memories of a user, as far as ranking looks at them, and where the words of a question occur.
-- $1 user, $2 question, $3 whether its words are looked for, $4 its vector, $5 the vector's space,
-- filters, null for none: $6 conversation, $7 least importance, $8 since, $9 until, $10 metadata, $11 entities
with asked as materialized (
  select row_number() over (order by lexeme)::integer as number,
    ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as word
  from unnest(to_tsvector('pg_catalog.english', $2))
  where $3
), cosines as materialized (
  select e.id as memory_id, (1 - (e.embedding <=> $4))::real as similarity
  from public.memory_entries e
  where $5 = 1 and e.user_id = $1 and e.embedding is not null
  union all
  select v.memory_id, (1 - (v.embedding <=> $4))::real
  from izzie_memory.memory_vectors v
  where v.space_id = $5 and $5 <> 1 and v.user_id = $1
), mine as materialized (
  select row_number() over ()::integer - 1 as place, e.id,
    coalesce(uuid_hash_extended(e.conversation_id, 0), hashtextextended(s.conversation_key, 0)) as conversation,
    date_part('epoch', e.created_at) as created_at, s.arrival, s.doc_length, s.asks, coalesce(e.importance, 5) as importance,
    ($6::text is null or coalesce(e.conversation_id::text, s.conversation_key) = $6)
      and ($7::integer is null or coalesce(e.importance, 5) >= $7)
      and ($8::timestamptz is null or e.created_at >= $8 at time zone 'UTC')
      and ($9::timestamptz is null or e.created_at < $9 at time zone 'UTC')
      and ($10::jsonb is null or e.metadata @> $10)
      and ($11::jsonb is null or s.entities @> $11) as allowed
  from izzie_memory.memory_state s
  join public.memory_entries e on e.id = s.memory_id
  where s.user_id = $1 and not s.deleted
), hits as (
  select a.number, m.place, ts_rank('{1,1,1,1}', s.tsv, a.word) as rank, ts_rank('{0,0,0,1}', s.tsv, a.word) > 0 as names_speaker
  from asked a
  join izzie_memory.memory_state s on s.user_id = $1 and not s.deleted and s.tsv @@ a.word
  join mine m on m.id = s.memory_id
), features as (
  select array_agg(m.place) as places, array_agg(m.id) as ids, array_agg(m.conversation) as conversations,
    array_agg(m.created_at) as created_at, array_agg(m.arrival) as arrivals, array_agg(m.doc_length) as lengths, array_agg(m.asks) as asks,
    array_agg(m.importance) as importances, array_agg(coalesce(m.allowed, false)) as allowed,
    array_agg(v.similarity) as similarities
  from mine m
  left join cosines v on v.memory_id = m.id
), words as (
  select array_agg(h.number) as hit_words, array_agg(h.place) as hit_places, array_agg(h.rank) as hit_ranks,
    array_agg(h.names_speaker) as hit_speakers
  from hits h
)
select coalesce(places, '{}') as places, coalesce(ids, '{}') as ids, coalesce(conversations, '{}') as conversations,
  coalesce(created_at, '{}') as created_at, coalesce(arrivals, '{}') as arrivals, coalesce(lengths, '{}') as lengths,
  coalesce(asks, '{}') as asks, coalesce(importances, '{}') as importances, coalesce(allowed, '{}') as allowed,
  coalesce(similarities, '{}') as similarities, coalesce(hit_words, '{}') as hit_words,
  coalesce(hit_places, '{}') as hit_places, coalesce(hit_ranks, '{}') as hit_ranks,
  coalesce(hit_speakers, '{}') as hit_speakers
from features, words
