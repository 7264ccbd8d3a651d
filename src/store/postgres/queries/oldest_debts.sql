-- For how many seconds the oldest debt of each kind has been owed. $1 the current graph's name in the queue
select case when q.target = $1 then 'graph' else q.target end as target,
  extract(epoch from clock_timestamp() - min(q.owed_at))::double precision as age
from izzie_memory.memory_sync q
where q.state = 'pending' and q.asked and (q.target = $1 or q.target in ('embedding', 'extraction'))
group by q.target
