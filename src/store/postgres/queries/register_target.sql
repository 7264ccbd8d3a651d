select target, kind, store_id, projection_version, nonce, next_nonce from izzie_memory.register_target($1, $2, $3, $4)
