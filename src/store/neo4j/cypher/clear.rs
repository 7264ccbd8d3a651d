//! Deleting in bounded transactions.

use std::sync::LazyLock;

use super::foreign::edges_of_others;
use super::{ByScope, relationship_types};

pub static CLEAR_MEMORIES: LazyLock<ByScope> = LazyLock::new(|| {
    let foreign = edges_of_others("other IN batch");
    ByScope::new(|filter, order| {
        format!(
            "\
MATCH (n:IzzieMemory) WHERE {filter}n.key > ''
WITH n ORDER BY {order} LIMIT $limit
WITH collect(n) AS batch
UNWIND batch AS n
WITH n, {foreign} AS foreign
DETACH DELETE n
RETURN count(*) AS gone, sum(foreign) AS foreign"
        )
    })
});

/// Entities without mentions go. One that a concurrent projection mentions again stays, is recounted, and loses the
/// relationships of memories that are gone.
pub static SETTLE_ENTITIES: LazyLock<ByScope> = LazyLock::new(|| {
    let (types, foreign) = (relationship_types(), edges_of_others("other IN batch"));
    ByScope::new(|filter, order| {
        format!(
            "\
MATCH (n:IzzieEntity) WHERE {filter}n.key > $after
WITH n ORDER BY {order} LIMIT $limit
SET n._lock = true REMOVE n._lock
WITH collect(n) AS batch
UNWIND batch AS n
WITH batch, n, n.key AS key, COUNT {{ (n)-[:MENTIONED_IN]->(:IzzieMemory) }} AS mentions
WITH n, key, mentions, CASE mentions WHEN 0 THEN {foreign} ELSE 0 END AS foreign, CASE mentions WHEN 0 THEN [] ELSE
  [(n)-[r:{types}]->(:IzzieEntity)
    WHERE r.memoryId IS NOT NULL AND NOT EXISTS {{ (:IzzieMemory {{key: r.memoryId}}) }} | r] END AS stale
FOREACH (r IN stale | DELETE r)
FOREACH (_ IN CASE mentions WHEN 0 THEN [] ELSE [1] END | SET n.frequency = mentions REMOVE n.unmentioned)
FOREACH (_ IN CASE mentions WHEN 0 THEN [1] ELSE [] END | DETACH DELETE n)
RETURN max(key) AS last, sum(foreign) AS foreign"
        )
    })
});

/// The entities that a projection left without mentions. One that was mentioned again since is only recounted.
pub static SWEEP_ENTITIES: LazyLock<String> = LazyLock::new(|| {
    let foreign = edges_of_others("other IN batch");
    format!(
        "\
MATCH (n:IzzieEntity) WHERE n.unmentioned = true
WITH n LIMIT $limit
WITH n ORDER BY n.key
SET n._lock = true REMOVE n._lock
WITH collect(n) AS batch
UNWIND batch AS n
WITH batch, n, COUNT {{ (n)-[:MENTIONED_IN]->(:IzzieMemory) }} AS mentions
WITH n, mentions, CASE mentions WHEN 0 THEN {foreign} ELSE 0 END AS foreign
FOREACH (_ IN CASE mentions WHEN 0 THEN [] ELSE [1] END | SET n.frequency = mentions REMOVE n.unmentioned)
FOREACH (_ IN CASE mentions WHEN 0 THEN [1] ELSE [] END | DETACH DELETE n)
RETURN count(*) AS met, count(CASE mentions WHEN 0 THEN 1 END) AS swept, coalesce(sum(foreign), 0) AS foreign"
    )
});
