select exists (select from izzie_memory.beats b where b.nonce = $1 and b.target = $2)
