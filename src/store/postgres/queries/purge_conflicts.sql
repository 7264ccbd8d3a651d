with gone as (
  delete from izzie_memory.conflicts c
  where c.outcome <> 'open' and ($1::text is null or c.user_id = $1)
    and ($2::timestamptz is null or c.resolved_at < $2)
  returning 1
)
select count(*) from gone
