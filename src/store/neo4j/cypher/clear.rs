//! Deleting in bounded transactions.

use std::sync::LazyLock;

use super::{ByScope, relationship_types};

pub static CLEAR_MEMORIES: LazyLock<ByScope> = LazyLock::new(|| {
    ByScope::new(|filter, order| {
        format!(
            "\
MATCH (n:IzzieMemory) WHERE {filter}n.key > ''
WITH n ORDER BY {order} LIMIT $limit
DETACH DELETE n
RETURN count(*) AS value"
        )
    })
});

/// Entities without mentions go. One that a concurrent projection mentions again stays, is recounted, and loses the
/// relationships of memories that are gone.
pub static SETTLE_ENTITIES: LazyLock<ByScope> = LazyLock::new(|| {
    let types = relationship_types();
    ByScope::new(|filter, order| {
        format!(
            "\
MATCH (n:IzzieEntity) WHERE {filter}n.key > $after
WITH n ORDER BY {order} LIMIT $limit
SET n._lock = true REMOVE n._lock
WITH n, n.key AS key, COUNT {{ (n)-[:MENTIONED_IN]->() }} AS mentions
WITH n, key, mentions, CASE mentions WHEN 0 THEN [] ELSE
  [(n)-[r:{types}]->(:IzzieEntity) WHERE NOT EXISTS {{ (:IzzieMemory {{key: r.memoryId}}) }} | r] END AS stale
FOREACH (r IN stale | DELETE r)
FOREACH (_ IN CASE mentions WHEN 0 THEN [] ELSE [1] END | SET n.frequency = mentions REMOVE n.unmentioned)
FOREACH (_ IN CASE mentions WHEN 0 THEN [1] ELSE [] END | DETACH DELETE n)
RETURN max(key) AS value"
        )
    })
});

/// The entities that a projection left without mentions. One that was mentioned again since is only recounted.
pub const SWEEP_ENTITIES: &str = "\
MATCH (n:IzzieEntity) WHERE n.unmentioned = true
WITH n LIMIT $limit
WITH n ORDER BY n.key
SET n._lock = true REMOVE n._lock
WITH n, COUNT { (n)-[:MENTIONED_IN]->() } AS mentions
FOREACH (_ IN CASE mentions WHEN 0 THEN [] ELSE [1] END | SET n.frequency = mentions REMOVE n.unmentioned)
FOREACH (_ IN CASE mentions WHEN 0 THEN [1] ELSE [] END | DETACH DELETE n)
RETURN count(*) AS met, count(CASE mentions WHEN 0 THEN 1 END) AS swept";
