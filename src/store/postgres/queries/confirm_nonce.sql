update izzie_memory.graph_targets set nonce = $2, next_nonce = null where target = $1 and next_nonce = $2
