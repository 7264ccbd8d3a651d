with confirmed as (
  update izzie_memory.graph_targets set nonce = $2, next_nonce = null where target = $1 and next_nonce = $2 returning target
), forgotten as (
  -- A graph restored from an older dump is not known to be ours any more.
  delete from izzie_memory.beats b where b.written_at < clock_timestamp() - interval '90 days'
)
insert into izzie_memory.beats (nonce, target) select $2, target from confirmed
