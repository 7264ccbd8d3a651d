select target, kind, store_id, projection_version, nonce, next_nonce, horizon_epoch, horizon_revision
from izzie_memory.switch_target($1, $2, $3, $4)
