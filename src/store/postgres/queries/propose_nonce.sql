update izzie_memory.graph_targets set next_nonce = coalesce(next_nonce, $2) where target = $1 returning next_nonce
