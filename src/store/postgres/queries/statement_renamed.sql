-- izzie-memory: does a pooler rename this statement? Ours are called sqlx_s_1 and so on by the driver.
select coalesce(bool_and(name not like 'sqlx\_s\_%'), false)
from pg_prepared_statements
where statement like '-- izzie-memory: does a pooler rename this statement?%'
