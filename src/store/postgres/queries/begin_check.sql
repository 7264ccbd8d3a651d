update izzie_memory.settings set last_check = clock_timestamp()
where last_check is null or last_check < clock_timestamp() - $1 * interval '1 millisecond'
returning true
