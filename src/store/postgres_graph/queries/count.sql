select count(*) from izzie_memory.graph_memories g
where not g.deleted and not g.detached and ($1::text is null or g.user_id = $1)
