select target, kind, store_id, projection_version, nonce, next_nonce, horizon_epoch, horizon_revision,
  exists (select from izzie_memory.jobs j where j.name in ('renew', 'owe:' || t.target)) as unfinished
from izzie_memory.graph_targets t
where t.current
