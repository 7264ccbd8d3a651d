delete from izzie_memory.beats b where b.written_at < clock_timestamp() - $1 * interval '1 millisecond'
