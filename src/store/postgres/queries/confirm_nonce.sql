with confirmed as (
  update izzie_memory.graph_targets set nonce = $2, next_nonce = null where target = $1 and next_nonce = $2 returning target
)
insert into izzie_memory.beats (nonce, target) select $2, target from confirmed
