select space_id, model, dimensions from izzie_memory.embedding_spaces where current
