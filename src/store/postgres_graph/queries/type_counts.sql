select e.type, count(*) as entities, sum(e.frequency)::bigint as mentions
from izzie_memory.graph_entities e
where e.user_id = $1 and e.frequency > 0
group by e.type
