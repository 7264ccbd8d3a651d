//! Edges of other programs at nodes of ours, and the labels that our nodes had before they were of ours only.

use std::sync::LazyLock;

use super::ByScope;
use super::project::relabel;
use crate::model::RelationshipType;

/// Whether the edge `r` from `a` to `b` is ours: a mention, or a relationship that names its memory.
fn ours(a: &str, b: &str) -> String {
    let types = RelationshipType::ALL.iter().map(|kind| format!("'{}'", kind.name())).collect::<Vec<_>>();
    format!(
        "{a}:IzzieEntity AND ((type(r) = 'MENTIONED_IN' AND {b}:IzzieMemory) \
         OR ({b}:IzzieEntity AND r.memoryId IS NOT NULL AND type(r) IN [{}]))",
        types.join(", ")
    )
}

/// How many edges at `n` are not ours. One that comes from a node of `met` is counted there.
pub(super) fn edges_of_others(met: &str) -> String {
    format!(
        "COUNT {{ (n)-[r]->(other) WHERE NOT ({}) }} + COUNT {{ (n)<-[r]-(other) WHERE NOT ({}) AND NOT ({met}) }}",
        ours("n", "other"),
        ours("other", "n")
    )
}

/// Of a page of the nodes with a label, by key.
fn foreign_edges(label: &str) -> ByScope {
    let foreign = edges_of_others("other:IzzieEntity OR other:IzzieMemory");
    ByScope::new(|filter, order| {
        format!(
            "\
MATCH (n:{label}) WHERE {filter}n.key > $after
WITH n ORDER BY {order} LIMIT $limit
WITH n.key AS key, {foreign} AS foreign
RETURN max(key) AS last, coalesce(sum(foreign), 0) AS foreign"
        )
    })
}

/// Each edge once.
pub static FOREIGN_EDGES: LazyLock<[ByScope; 2]> =
    LazyLock::new(|| ["IzzieMemory", "IzzieEntity"].map(foreign_edges));

/// Entities that carry what they carried up to projection version 1, page by page, mentioned or not: they get the labels of
/// today, and a count of our mentions alone.
pub static RENEW_ENTITIES: LazyLock<String> = LazyLock::new(|| {
    let relabel = relabel();
    format!(
        "\
MATCH (e:IzzieEntity) WHERE e.key > $after
WITH e ORDER BY e.key LIMIT $limit
SET e._lock = true REMOVE e._lock
WITH e, e.key AS key, COUNT {{ (e)-[:MENTIONED_IN]->() }} AS all, COUNT {{ (e)-[:MENTIONED_IN]->(:IzzieMemory) }} AS ours
FOREACH (_ IN [1] |
  SET e.frequency = ours, e.foreign = nullif(all - ours, 0), e.unmentioned = CASE ours WHEN 0 THEN true END
{relabel})
RETURN max(key) AS value"
    )
});
