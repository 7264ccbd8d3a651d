update izzie_memory.conflicts c set outcome = 'vector', resolved_at = clock_timestamp()
where c.outcome = 'open' and c.memory_id = any ($1)
