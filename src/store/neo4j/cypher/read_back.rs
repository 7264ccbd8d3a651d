//! Statements that read memories back property by property, and that make room for a thorough repair.

use std::sync::LazyLock;

use super::super::labels;
use super::relationship_types;
use crate::model::EntityType;

/// Live memories as they stand. Whatever is not exactly `false` counts as deleted, as everywhere.
pub const READ_MEMORIES: &str = "\
UNWIND $keys AS key
MATCH (m:IzzieMemory {key: key}) WHERE m.deleted = false
RETURN key, m.userId AS userId, m.epoch AS epoch, m.revision AS revision, m.detached AS detached,
  m.h1 AS h1, m.h2 AS h2, m.bucket AS bucket, m.content AS content, m.summary AS summary,
  m.importance AS importance, m.createdAt AS createdAt, m.updatedAt AS updatedAt,
  m.mentions AS mentions, m.relationships AS relationships, NOT m:Memory AS labelled";

pub static READ_MENTIONS: LazyLock<String> = LazyLock::new(|| {
    let labels = quoted_labels();
    format!(
        "\
UNWIND $keys AS key
MATCH (:IzzieMemory {{key: key}})<-[r:MENTIONED_IN]-(e:IzzieEntity)
WITH e, collect({{key: key, r: r}}) AS held
WITH e, held, COUNT {{ (e)-[:MENTIONED_IN]->(:IzzieMemory) }} AS mentions
UNWIND held AS one
WITH e, mentions, one.key AS key, one.r AS r
RETURN key, e.key AS entityKey, e.userId AS userId, [l IN labels(e) WHERE l IN [{labels}]] AS labels,
  e.name AS name, e.type AS type, e.normalized AS normalized, e.frequency AS frequency,
  r.confidence AS confidence, r.source AS source, r.context AS context, mentions"
    )
});

/// Each entity's relationships are read once for the whole page, in both directions: the mention of one end may have
/// been taken away.
pub static READ_RELATIONSHIPS: LazyLock<String> = LazyLock::new(|| {
    let types = relationship_types();
    format!(
        "\
UNWIND $keys AS key
MATCH (:IzzieMemory {{key: key}})<-[:MENTIONED_IN]-(e:IzzieEntity)
WITH DISTINCT e
MATCH (e)-[r:{types}]-(:IzzieEntity) WHERE r.memoryId IN $keys
WITH DISTINCT r
RETURN r.memoryId AS key, type(r) AS type, startNode(r).key AS fromKey, endNode(r).key AS toKey,
  r.confidence AS confidence, r.evidence AS evidence"
    )
});

/// The projection takes away old relationships only from a node that says to have some, looks for them from the side
/// they start at, keeps doubled mentions and adds labels to those that are there. So here: the node says to have some,
/// relationships whose memory does not mention both ends go, as do doubled mentions, those of entities without a key,
/// and all labels of entities whose labels do not fit their type. What is known of others' edges is counted anew.
pub static DISTRUST: LazyLock<String> = LazyLock::new(|| {
    let (types, labels) = (relationship_types(), quoted_labels());
    let all_labels = labels::all_and_former().collect::<Vec<_>>().join(":");
    let fitting = EntityType::ALL.map(|kind| format!("WHEN '{}' THEN ['{}']", kind.name(), labels::of(kind)));
    let fitting = format!("CASE e.type {} ELSE [] END", fitting.join(" "));
    format!(
        "\
UNWIND $keys AS key
MATCH (m:IzzieMemory {{key: key}})
SET m._lock = true REMOVE m._lock
SET m.relationships = 1
WITH m
MATCH (m)<-[:MENTIONED_IN]-(e:IzzieEntity)
WITH DISTINCT e ORDER BY e.key
SET e._lock = true REMOVE e._lock
WITH collect(e) AS entities
UNWIND entities AS e
WITH e, [(e)-[r:{types}]-(x:IzzieEntity) WHERE r.memoryId IS NOT NULL AND NOT (
    EXISTS {{ (e)-[:MENTIONED_IN]->(:IzzieMemory {{key: r.memoryId}}) }} AND
    EXISTS {{ (x)-[:MENTIONED_IN]->(:IzzieMemory {{key: r.memoryId}}) }}) | r] AS unsupported,
  [(e)-[r:MENTIONED_IN]->(m:IzzieMemory) | {{mention: r, memory: m.key}}] AS mentions
FOREACH (r IN unsupported | DELETE r)
FOREACH (_ IN CASE WHEN [l IN labels(e) WHERE l IN [{labels}]] = {fitting} THEN [] ELSE [1] END |
  REMOVE e:{all_labels})
SET e.foreign = nullif(COUNT {{ (e)-[:MENTIONED_IN]->(other) WHERE NOT other:IzzieMemory }}, 0)
WITH e, mentions
UNWIND mentions AS held
WITH e, held.memory AS memory, collect(held.mention) AS held WHERE e.key IS NULL OR size(held) > 1
FOREACH (r IN CASE WHEN e.key IS NULL THEN held ELSE tail(held) END | DELETE r)"
    )
});

fn quoted_labels() -> String {
    labels::all_and_former().map(|label| format!("'{label}'")).collect::<Vec<_>>().join(", ")
}
