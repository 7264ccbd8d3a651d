-- $1 target, $2 asked (one or both of true and false), $3 only what is due, $4 user, $5 except, $6 lease, $7 its length,
-- $8 limit
with due as materialized (
  select q.memory_id
  from izzie_memory.memory_sync q
  where q.target = $1 and q.target in ('embedding', 'extraction') and q.state = 'pending' and q.asked = any ($2)
    and q.next_attempt_at <= case when $3 then now() else 'infinity'::timestamptz end
    and ($4::text is null or q.user_id = $4)
    and q.memory_id <> all ($5)
    and (q.lease_until is null or q.lease_until < clock_timestamp())
    -- of a soft-deleted memory it is owed again once that is restored
    and exists (select from izzie_memory.memory_state s where s.memory_id = q.memory_id and not s.deleted)
  order by q.next_attempt_at
  limit $8
  for update of q skip locked
)
update izzie_memory.memory_sync q
set lease_token = $6, lease_until = clock_timestamp() + $7 * interval '1 millisecond'
where q.target = $1 and q.memory_id = any (array(select memory_id from due))
returning q.memory_id
