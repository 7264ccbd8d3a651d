select e.key, e.type, e.name, e.normalized, e.frequency, e.confidence, e.first_seen, e.last_seen
from izzie_memory.graph_entities e
where e.key = any ($2) and e.user_id = $1 and e.frequency > 0
