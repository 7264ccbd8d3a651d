//! How a user's entities belong together.

use std::sync::LazyLock;

use super::check::{detached, live};
use super::entities::ENTITY;
use super::relationship_types;

/// A memory `m` that counts. Both ends of a relationship are mentioned by the memory that states it.
const LIVE: &str = "m.userId = $userId AND m.deleted = false AND m.detached = false";

/// Memories that were deleted in Postgres but kept here support nothing. The first `MATCH`es stand alone so that the
/// planner starts from the user's nodes and not from those of all.
pub static EXPLICIT_RELATIONS: LazyLock<String> = LazyLock::new(|| {
    let (types, detached) = (relationship_types(), detached("= $userId"));
    format!(
        "\
OPTIONAL MATCH (n:IzzieMemory) WHERE {detached}
WITH collect(n.key) AS detached
MATCH (a:IzzieEntity) WHERE a.userId = $userId AND a.key > ''
WITH a, detached
MATCH (a)-[r:{types}]->(b:IzzieEntity) WHERE b.userId = $userId AND r.memoryId IS NOT NULL AND NOT r.memoryId IN detached
WITH a, type(r) AS kind, b, count(DISTINCT r.memoryId) AS weight
RETURN a.type AS fromType, a.name AS fromName, b.type AS toType, b.name AS toName, kind, weight
ORDER BY weight DESC, fromName, toName, kind LIMIT $limit"
    )
});

pub static CO_OCCURRENCES: LazyLock<String> = LazyLock::new(|| {
    let live = live("= $userId");
    format!(
        "\
MATCH (n:IzzieMemory) WHERE {live}
WITH n
MATCH (a:IzzieEntity)-[:MENTIONED_IN]->(n)<-[:MENTIONED_IN]-(b:IzzieEntity)
WHERE a.name < b.name OR (a.name = b.name AND a.key < b.key)
WITH a, b, count(*) AS weight WHERE weight >= 2
RETURN a.type AS fromType, a.name AS fromName, b.type AS toType, b.name AS toName, 'CO_OCCURS' AS kind, weight
ORDER BY weight DESC, fromName, toName LIMIT $limit"
    )
});

/// What is stated of the entity `$key`, whichever way it points.
pub static STATED_RELATIONS: LazyLock<String> = LazyLock::new(|| {
    let types = relationship_types();
    format!(
        "\
MATCH (a:IzzieEntity {{key: $key}}) WHERE a.userId = $userId
MATCH (a)-[r:{types}]-(e:IzzieEntity)
WHERE type(r) IN $wanted.relationships AND e.userId = $userId AND e.type IN $wanted.types AND e <> a
MATCH (m:IzzieMemory {{key: r.memoryId}}) WHERE {LIVE}
WITH e, type(r) AS relationship, CASE WHEN startNode(r) = a THEN 'out' ELSE 'in' END AS direction,
  count(DISTINCT m) AS weight, max(r.confidence) AS statedWith
ORDER BY weight DESC, e.normalized, e.type, relationship, direction DESC LIMIT $limit
RETURN {ENTITY}, relationship, direction, weight, statedWith"
    )
});

/// The entities mentioned together with `$key`.
pub static CO_OCCURRENCES_OF: LazyLock<String> = LazyLock::new(|| {
    format!(
        "\
MATCH (a:IzzieEntity {{key: $key}}) WHERE a.userId = $userId
MATCH (a)-[:MENTIONED_IN]->(m:IzzieMemory) WHERE {LIVE}
WITH DISTINCT a, m
MATCH (m)<-[:MENTIONED_IN]-(e:IzzieEntity)
WITH a, e, count(*) AS weight
WHERE e.userId = $userId AND e.type IN $types AND e.frequency > 0 AND e <> a
WITH e, weight ORDER BY weight DESC, e.normalized, e.type LIMIT $limit
RETURN {ENTITY}, 'CO_OCCURS' AS relationship, 'none' AS direction, weight"
    )
});

pub static NEIGHBOURS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "\
UNWIND $keys AS key
MATCH (:IzzieEntity {{key: key}})-[:MENTIONED_IN]->(m:IzzieMemory) WHERE {LIVE}
WITH DISTINCT m
MATCH (m)<-[:MENTIONED_IN]-(e:IzzieEntity) WHERE e.userId = $userId
WITH DISTINCT e LIMIT $limit
RETURN e.key AS key, e.normalized AS normalized, e.type AS type, e.frequency AS mentions"
    )
});

/// The memories that state one type of relationship between two entities, in one direction.
pub static STATING_MEMORIES: LazyLock<String> = LazyLock::new(|| {
    let types = relationship_types();
    format!(
        "\
MATCH (a:IzzieEntity {{key: $start}})-[r:{types}]->(b:IzzieEntity {{key: $end}})
WHERE a.userId = $userId AND b.userId = $userId AND type(r) = $relationship
MATCH (m:IzzieMemory {{key: r.memoryId}}) WHERE {LIVE}
RETURN DISTINCT m.key AS key, m.createdAt AS at ORDER BY at DESC, key LIMIT $limit"
    )
});

/// The memories that mention both entities.
pub static SHARED_MEMORIES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "\
MATCH (a:IzzieEntity {{key: $start}})-[:MENTIONED_IN]->(m:IzzieMemory)<-[:MENTIONED_IN]-(b:IzzieEntity {{key: $end}})
WHERE a.userId = $userId AND b.userId = $userId AND {LIVE}
RETURN DISTINCT m.key AS key, m.createdAt AS at ORDER BY at DESC, key LIMIT $limit"
    )
});

/// Every relationship is counted at the entity where it starts.
pub static RELATIONSHIP_COUNTS: LazyLock<String> = LazyLock::new(|| {
    let (types, detached) = (relationship_types(), detached("= $userId"));
    format!(
        "\
OPTIONAL MATCH (n:IzzieMemory) WHERE {detached}
WITH collect(n.key) AS detached
MATCH (a:IzzieEntity) WHERE a.userId = $userId AND a.key > ''
WITH a, detached
MATCH (a)-[r:{types}]->(b:IzzieEntity) WHERE b.userId = $userId AND r.memoryId IS NOT NULL AND NOT r.memoryId IN detached
WITH DISTINCT a, type(r) AS relationship, b
RETURN relationship, count(*) AS count"
    )
});
