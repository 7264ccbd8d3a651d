//! Reading a user's entities. All are found by key, or in the index `izzie_entity_names`, which is used only with a
//! predicate on each of its properties.

use std::sync::LazyLock;

use super::check::detached;

/// The columns of an entity `e`.
pub(super) const ENTITY: &str = "e.key AS key, e.type AS type, e.name AS name, e.normalized AS normalized, \
   e.frequency AS mentions, e.confidence AS confidence, e.firstSeen AS firstSeen, e.lastSeen AS lastSeen";

/// An entity of a type, in the index.
fn of_type(kind: &str) -> String {
    format!("e.userId = $userId AND e.type = {kind} AND e.frequency > 0 AND e.normalized IS NOT NULL")
}

pub static GET_ENTITIES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "\
UNWIND $keys AS key
MATCH (e:IzzieEntity {{key: key}}) WHERE e.userId = $userId AND e.frequency > 0
RETURN {ENTITY}"
    )
});

pub static PARTLY_DETACHED: LazyLock<String> = LazyLock::new(|| {
    let detached = detached("= $userId");
    format!(
        "\
MATCH (n:IzzieMemory) WHERE {detached}
WITH n
MATCH (n)<-[:MENTIONED_IN]-(e:IzzieEntity) WHERE e.userId = $userId
WITH e, count(*) AS detached
RETURN {ENTITY}, detached"
    )
});

/// Type by type, so that each begins at the index.
pub static TOP_ENTITIES: LazyLock<String> = LazyLock::new(|| {
    let of_type = of_type("type");
    format!(
        "\
UNWIND $types AS type
CALL {{
  WITH type
  MATCH (e:IzzieEntity) WHERE {of_type}
  RETURN e
  ORDER BY e.frequency DESC, e.normalized LIMIT $limit
}}
WITH e ORDER BY e.frequency DESC, e.normalized, e.type LIMIT $limit
RETURN {ENTITY}"
    )
});

pub static SEARCH_ENTITIES: LazyLock<String> = LazyLock::new(|| {
    let of_type = of_type("search.type");
    format!(
        "\
UNWIND $wanted.searches AS search
MATCH (e:IzzieEntity) WHERE {of_type}
WITH search, e, e.normalized AS name, e.frequency AS frequency
WHERE any(text IN search.texts WHERE name CONTAINS text) AND NOT name =~ $wanted.unfolded
WITH e, name, frequency, search.type AS type, CASE
  WHEN any(text IN search.texts WHERE name = text) THEN 0
  WHEN any(text IN search.texts WHERE name STARTS WITH text) THEN 1
  WHEN any(word IN search.words WHERE name CONTAINS word) THEN 2
  ELSE 3 END AS rank
ORDER BY rank, frequency DESC, name, type LIMIT $limit
RETURN {ENTITY}"
    )
});

pub static UNFOLDED_ENTITIES: LazyLock<String> = LazyLock::new(|| {
    let of_type = of_type("type");
    format!(
        "\
UNWIND $types AS type
MATCH (e:IzzieEntity) WHERE {of_type} AND e.normalized =~ $unfolded
RETURN {ENTITY}"
    )
});

pub static TYPE_COUNTS: LazyLock<String> = LazyLock::new(|| {
    let of_type = of_type("type");
    format!(
        "\
UNWIND $types AS type
MATCH (e:IzzieEntity) WHERE {of_type}
WITH type, e.frequency AS frequency
RETURN type, count(*) AS entities, sum(frequency) AS mentions"
    )
});

/// The memories that mention an entity, behind `$at` and `$id` where those are given.
pub const MEMORIES_OF: &str = "\
MATCH (e:IzzieEntity {key: $key}) WHERE e.userId = $userId
MATCH (e)-[r:MENTIONED_IN]->(m:IzzieMemory)
WHERE ($at IS NULL OR r.extractedAt < $at OR (r.extractedAt = $at AND m.key > $id))
  AND m.userId = $userId AND m.deleted = false AND m.detached = false
RETURN DISTINCT m.key AS key, r.extractedAt AS at ORDER BY at DESC, key LIMIT $limit";
