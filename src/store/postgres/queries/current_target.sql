select target, kind, store_id, projection_version, nonce, next_nonce from izzie_memory.graph_targets where current
