select target, kind, store_id, projection_version, nonce, next_nonce, horizon_epoch, horizon_revision,
  exists (select from izzie_memory.jobs j where j.name in ('renew', 'owe:' || t.target)) as unfinished
from izzie_memory.register_target($1, $2, $3, $4) t
