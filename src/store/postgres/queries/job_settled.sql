select izzie_memory.job_settled($1)
