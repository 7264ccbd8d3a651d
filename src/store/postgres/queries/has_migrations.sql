select to_regclass('izzie_memory.migrations') is not null
