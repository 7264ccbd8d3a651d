select e.key, e.type, e.name, e.normalized, e.frequency, e.confidence, e.first_seen, e.last_seen
from izzie_memory.graph_entities e
where e.user_id = $1 and e.type = any ($2) and e.frequency > 0 and e.normalized ~ $3
