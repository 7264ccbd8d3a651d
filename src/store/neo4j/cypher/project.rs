//! The projecting statement.

use std::sync::LazyLock;

use super::super::labels;
use super::relationship_types;
use crate::model::{EntityType, Label, RelationshipType};

/// What becomes of a row, read under the memory's lock: `barred` when the graph had no such node and the horizon is not
/// below the version, `refused` below the held version, `marked` when a memory that the graph shall keep was deleted,
/// else `replaced`.
const FATE: &str = "\
CASE WHEN m._new AND (b.horizonEpoch > row.epoch OR (b.horizonEpoch = row.epoch AND b.horizonRevision >= row.revision))
       THEN 'barred'
     WHEN m.epoch > row.epoch OR (m.epoch = row.epoch AND m.revision > row.revision) THEN 'refused'
     WHEN row.deleted AND row.detached AND m.deleted = false THEN 'marked'
     ELSE 'replaced' END AS fate";

/// Locks an entity; whoever mentions it takes the sweep's mark away. `foreign` is how many of its edges `MENTIONED_IN` lead
/// to nodes of others; none where it is missing. It stands as long as it explains, with what we counted last, how many
/// there are: they are looked at one by one only where others have changed something. Either may hold whatever somebody
/// wrote there, so both are read as numbers or not at all.
const LOCK: &str = "REMOVE e._lock, e.unmentioned
  SET e.foreign = CASE WHEN coalesce(toIntegerOrNull(e.frequency), 0) + coalesce(toIntegerOrNull(e.foreign), 0) = COUNT { (e)-[:MENTIONED_IN]->() }
    THEN toIntegerOrNull(e.foreign) ELSE nullif(COUNT { (e)-[:MENTIONED_IN]->(other) WHERE NOT other:IzzieMemory }, 0) END";

/// The number of memories that mention an entity which is locked: two numbers that the server keeps, whatever their size.
const RECOUNT: &str = "SET e.frequency = COUNT { (e)-[:MENTIONED_IN]->() } - coalesce(e.foreign, 0)";

/// The whole of a mention, whatever the edge held.
const MENTION: &str =
    "SET r = {confidence: x[1], source: x[2], context: x[3], extractedAt: row.node.createdAt}";

/// Applies `$batch.memories`, sorted by key, in one transaction; `$batch.entities` are those they mention. (One map,
/// because the server plans anew for every size class of a list parameter: a second each time it is new and busy.)
/// Mentions and entities are lists, whose places [`super::super::rows`] fills:
/// a mention is `[key, confidence, source, context]`,
/// an entity `[key, label, userId, name, normalized, type, confidence, firstSeen, lastSeen]`.
///
/// 1. Lock the memories in key order, and only then look at their versions and at the horizon. One that was deleted
///    while its lock was waited for has no properties; its row is left out, and its answer missing.
/// 2. Lock the entities they mention or mentioned, over all rows, in key order; write each once. One that only refused
///    rows mention is not touched. Where every row is applied and none of them takes a mention away, these are the
///    batch's own, which come in that order: then one pass locks and writes. To remove a property locks a node even where it has none, as long as the property's name
///    is known to the server, which step 1 sees to; to set it first costs a fifth of the pass.
///    An entity that carries `:IzzieEntity` and one other label, and a type that its key can have, has its labels already.
/// 3. Per row: take away what is no longer so, write what is, recount. A later row of an entity counts again, so the
///    last one is right. Only a mention that is there already is looked for: among those of a hot entity that is slow.
///
/// Rows are read from `$batch` again in step 3 instead of being carried through step 2: the server charges a carried
/// map to every row that refers to it, and 50 memories exceeded its transaction memory. For the same reason step 3 is
/// one nested `FOREACH`: the server buffers all rows between two of them.
///
/// Old relationships are looked for among all those of the memory's entities, so only where there are any.
fn project(relationships: &str) -> String {
    let types = relationship_types();
    let kinds = kinds("x[1]");
    let relabel = relabel();
    format!(
        "\
UNWIND $batch.memories AS row
MERGE (m:IzzieMemory {{key: row.key}}) ON CREATE SET m._new = true
SET m._lock = true REMOVE m._lock
WITH row, m WHERE size(keys(m)) > 0
OPTIONAL MATCH (b:IzzieBeat {{key: 'beat'}})
WITH row, m, {FATE}
UNWIND CASE fate WHEN 'replaced'
  THEN [(m)<-[:MENTIONED_IN]-(e:IzzieEntity) | e.key] + [x IN row.mentions | x[0]] ELSE [''] END AS key
WITH DISTINCT key ORDER BY key
WITH collect(key) AS keys
WITH CASE keys[0] WHEN '' THEN keys[1..] ELSE keys END AS keys,
  size(keys) = size($batch.entities) AND NOT '' IN keys[..1] AS own
FOREACH (key IN CASE WHEN own THEN [] ELSE keys END | MERGE (e:IzzieEntity {{key: key}}) {LOCK})
FOREACH (x IN CASE WHEN own THEN $batch.entities ELSE [x IN $batch.entities WHERE x[0] IN keys] END |
  MERGE (e:IzzieEntity {{key: x[0]}})
  {LOCK}
  SET e.userId = x[2], e.normalized = x[4],
    e.name = CASE WHEN e.name IS NULL OR e.name CONTAINS '@' AND NOT x[3] CONTAINS '@' THEN x[3] ELSE e.name END,
    e.confidence = CASE WHEN e.confidence > x[6] THEN e.confidence ELSE x[6] END,
    e.firstSeen = CASE WHEN e.firstSeen < x[7] THEN e.firstSeen ELSE x[7] END,
    e.lastSeen = CASE WHEN e.lastSeen > x[8] THEN e.lastSeen ELSE x[8] END
  FOREACH (_ IN CASE WHEN size(labels(e)) = 2 AND e.type IN {kinds} THEN [] ELSE [1] END |
    SET e.type = CASE WHEN e.type IN {kinds} THEN e.type ELSE x[5] END
{relabel}))
WITH 1 AS locked
UNWIND $batch.memories AS row
MATCH (m:IzzieMemory {{key: row.key}})
OPTIONAL MATCH (b:IzzieBeat {{key: 'beat'}})
WITH row, m, b, {FATE}
WITH row, m, fate,
  CASE fate WHEN 'refused' THEN m.epoch WHEN 'barred' THEN b.horizonEpoch ELSE row.epoch END AS epoch,
  CASE fate WHEN 'refused' THEN m.revision WHEN 'barred' THEN b.horizonRevision ELSE row.revision END AS revision,
  [x IN row.mentions | x[0]] AS named,
  CASE fate WHEN 'replaced' THEN [(m)<-[:MENTIONED_IN]-(e:IzzieEntity) | e.key] ELSE [] END AS held
FOREACH (_ IN CASE fate WHEN 'replaced' THEN [1] ELSE [] END |
  FOREACH (r IN CASE WHEN m.relationships > 0 THEN
    [(m)<-[:MENTIONED_IN]-(:IzzieEntity)-[r:{types}]->(:IzzieEntity) WHERE r.memoryId = m.key | r] ELSE [] END | DELETE r)
  FOREACH (r IN CASE WHEN size(held) > 0 THEN
    [(m)<-[r:MENTIONED_IN]-(e:IzzieEntity) WHERE NOT e.key IN named | r] ELSE [] END | DELETE r)
  FOREACH (key IN [key IN held WHERE NOT key IN named] | MERGE (e:IzzieEntity {{key: key}})
    {RECOUNT}
    SET e.unmentioned = CASE e.frequency WHEN 0 THEN true END)
  SET m = row.node REMOVE m:Memory
  FOREACH (x IN row.mentions |
    MERGE (e:IzzieEntity {{key: x[0]}})
    FOREACH (_ IN CASE WHEN x[0] IN held THEN [] ELSE [1] END | CREATE (e)-[r:MENTIONED_IN]->(m) {MENTION})
    FOREACH (_ IN CASE WHEN x[0] IN held THEN [1] ELSE [] END | MERGE (e)-[r:MENTIONED_IN]->(m) {MENTION})
    {RECOUNT})
{relationships})
FOREACH (_ IN CASE fate WHEN 'marked' THEN [1] ELSE [] END |
  SET m += row.node, m.deleted = false, m.detached = true REMOVE m:Memory
  FOREACH (r IN CASE WHEN m.relationships > 0 THEN
    [(m)<-[:MENTIONED_IN]-(:IzzieEntity)-[r:{types}]->(:IzzieEntity) WHERE r.memoryId = m.key | r] ELSE [] END |
    REMOVE r.bucket))
FOREACH (_ IN CASE fate WHEN 'barred' THEN [1] ELSE [] END | DELETE m)
RETURN row.key AS key, epoch, revision, fate"
    )
}

/// Without explicit relationships, as most memories are: twenty clauses less to plan (75 instead of 640 ms, once).
pub static PROJECT: LazyLock<String> = LazyLock::new(|| project(""));

pub static PROJECT_WITH_RELATIONSHIPS: LazyLock<String> = LazyLock::new(|| {
    let types = each(RelationshipType::ALL.iter().map(|kind| kind.name()), |kind| {
        format!("CASE x.type WHEN '{kind}' THEN [1] ELSE [] END | CREATE (a)-[r:{kind}]->(b) SET r = x.edge")
    });
    project(&format!(
        "  FOREACH (x IN row.relationships |
    MERGE (a:IzzieEntity {{key: x.from}}) MERGE (b:IzzieEntity {{key: x.to}})
{types})"
    ))
});

/// The types whose entities have the key's label `label` in common.
fn kinds(label: &str) -> String {
    let cases = Label::ALL.map(|one| {
        let types = labels::types_of(one).into_iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>();
        format!(" WHEN '{}' THEN [{}]", one.name(), types.join(", "))
    });
    format!("CASE {label}{} ELSE [] END", cases.concat())
}

/// Gives an entity the label of its type and no other that it ever had from us.
pub(super) fn relabel() -> String {
    let all = labels::all_and_former().collect::<Vec<_>>().join(":");
    let set = EntityType::ALL.map(|kind| {
        format!(
            "  FOREACH (_ IN CASE e.type WHEN '{}' THEN [1] ELSE [] END | SET e:{})",
            kind.name(),
            labels::of(kind)
        )
    });
    format!("  REMOVE e:{all}\n{}", set.join("\n"))
}

/// One `FOREACH` per name: the way to a label or type chosen by a value that every Neo4j 5 knows and plans without a scan.
fn each(names: impl IntoIterator<Item = &'static str>, clause: impl Fn(&str) -> String) -> String {
    names.into_iter().map(|name| format!("  FOREACH (_ IN {})", clause(name))).collect::<Vec<_>>().join("\n")
}
