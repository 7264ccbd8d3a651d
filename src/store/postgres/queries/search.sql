-- $1 user, $2 text, $3 with text, $4 query vector, $5 its space, $6 threshold, $7 conversation, $8 least importance,
-- $9 limit, $10 candidates of each side, $11 weight of the vector side, $12 k1, $13 b
with allowed as not materialized (
  select m.id, m.conversation_id, m.importance
  from izzie_memory.memories m
  where m.user_id = $1 and not m.is_deleted
    and ($7::text is null or m.conversation_id = $7) and ($8::integer is null or m.importance >= $8)
), query as materialized (
  select array_agg(lexeme) as lexemes,
    string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery as any_of
  from unnest(to_tsvector('pg_catalog.english', $2))
  where $3
), corpus as materialized (
  select count(*)::double precision as documents, greatest(avg(s.doc_length), 1)::double precision as mean_length
  from izzie_memory.memory_state s
  where s.user_id = $1 and not s.deleted and $3
), hits as materialized (
  select s.memory_id, s.doc_length, word.lexeme, cardinality(word.positions)::double precision as frequency
  from query q
  join izzie_memory.memory_state s on s.user_id = $1 and not s.deleted and s.tsv @@ q.any_of
  cross join lateral unnest(s.tsv) as word
  where word.lexeme = any (q.lexemes)
), rarity as (
  select h.lexeme, ln(1 + (c.documents - count(*) + 0.5) / (count(*) + 0.5)) as idf
  from hits h, corpus c
  group by h.lexeme, c.documents
), texts as materialized (
  select h.memory_id, sum(r.idf * h.frequency * ($12 + 1)
    / (h.frequency + $12 * (1 - $13 + $13 * h.doc_length / c.mean_length)))::double precision as bm25
  from hits h
  join rarity r on r.lexeme = h.lexeme
  join allowed a on a.id = h.memory_id
  cross join corpus c
  group by h.memory_id
  order by bm25 desc, h.memory_id
  limit $10
), cosines as not materialized (
  select e.id as memory_id, 1 - (e.embedding <=> $4) as similarity
  from public.memory_entries e
  where $5 = 1 and e.user_id = $1 and e.embedding is not null
  union all
  select v.memory_id, 1 - (v.embedding <=> $4)
  from izzie_memory.memory_vectors v
  where v.space_id = $5 and $5 <> 1 and v.user_id = $1
), vectors as materialized (
  select c.memory_id, c.similarity
  from cosines c
  join allowed a on a.id = c.memory_id
  where $4 is not null and ($6::double precision is null or c.similarity >= $6)
  -- an expression no index is built on: an approximate index would give fewer results than there are
  order by c.similarity + 0 desc, c.memory_id
  limit case when $3 then $10 else $9 end
), bounds as (
  select (select max(bm25) from texts) as best_text, (select max(similarity) from vectors) as best_vector,
    (select min(similarity) from vectors) as worst_vector
), ranked as (
  select coalesce(t.memory_id, v.memory_id) as memory_id, v.similarity,
    case when not $3 then v.similarity
         when $11 = 0 then t.bm25
         else (1 - $11) * coalesce(t.bm25 / nullif(b.best_text, 0), 0)
            + $11 * coalesce((v.similarity - b.worst_vector) / nullif(b.best_vector - b.worst_vector, 0),
                             case when v.similarity is null then 0 else 1 end)
    end as score
  from texts t
  full join vectors v on v.memory_id = t.memory_id
  cross join bounds b
)
select m.*, r.similarity, r.score
from ranked r
join izzie_memory.memories m on m.id = r.memory_id
order by r.score desc, m.created_at desc, m.id
limit $9
