-- izzie-memory: does a pooler rename this statement? Ours are called sqlx_s_1 and so on by the driver.
-- The answer is no also where the settings of the role are not those that our functions need: a transaction can set them.
select coalesce(bool_and(name not like E'sqlx\\_s\\_%'), false)
  and current_setting('default_transaction_isolation') = 'read committed'
  and current_setting('standard_conforming_strings')::boolean and current_setting('extra_float_digits')::integer > 0
from pg_prepared_statements
where statement like '-- izzie-memory: does a pooler rename this statement?%'
