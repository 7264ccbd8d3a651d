with renewed as materialized (select izzie_memory.renew($2) as done) select izzie_memory.owe_many($1, $2) from renewed
