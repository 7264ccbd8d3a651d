//! What a user's graph says most often.

use std::sync::LazyLock;

use super::check::{detached, live};
use super::relationship_types;

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
MATCH (a)-[r:{types}]->(b:IzzieEntity) WHERE b.userId = $userId AND NOT r.memoryId IN detached
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
