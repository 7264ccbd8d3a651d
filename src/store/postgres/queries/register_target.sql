select target, kind, store_id, projection_version, nonce, next_nonce, horizon_epoch, horizon_revision,
  izzie_memory.unfinished(t.target)
from izzie_memory.register_target($1, $2, $3, $4) t
