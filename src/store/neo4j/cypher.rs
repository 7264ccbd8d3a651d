//! The statements. Labels and relationship types come from the tables of the model, never from input; everything else
//! is a parameter. Each list parameter is planned anew per size class, so every statement has at most one.
//!
//! Only syntax common to all of Neo4j 5 is used: no dynamic labels (5.24), no scoped subqueries (5.23).

use std::sync::LazyLock;

use crate::model::{Label, RelationshipType};

/// Every node of ours has a key under one of these constraints; without them `MERGE` would scan and double nodes.
pub(super) const SCHEMA: [SchemaRule; 6] = [
    SchemaRule::unique("izzie_memory_key", "IzzieMemory", &["key"]),
    SchemaRule::unique("izzie_entity_key", "IzzieEntity", &["key"]),
    SchemaRule::unique("izzie_beat_key", "IzzieBeat", &["key"]),
    SchemaRule::index("izzie_memory_user", "IzzieMemory", &["userId", "key"]),
    SchemaRule::index("izzie_memory_live", "IzzieMemory", &["deleted", "detached", "userId"]),
    SchemaRule::index("izzie_entity_user", "IzzieEntity", &["userId", "key"]),
];

#[derive(Debug)]
pub(super) struct SchemaRule {
    pub name: &'static str,
    pub label: &'static str,
    pub properties: &'static [&'static str],
    pub unique: bool,
}

impl SchemaRule {
    const fn unique(name: &'static str, label: &'static str, properties: &'static [&'static str]) -> Self {
        Self { name, label, properties, unique: true }
    }

    const fn index(name: &'static str, label: &'static str, properties: &'static [&'static str]) -> Self {
        Self { name, label, properties, unique: false }
    }

    pub fn create(&self) -> String {
        let Self { name, label, .. } = self;
        let properties =
            self.properties.iter().map(|property| format!("n.{property}")).collect::<Vec<_>>().join(", ");
        if self.unique {
            format!("CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE {properties} IS UNIQUE")
        } else {
            format!("CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON ({properties})")
        }
    }
}

/// A uniqueness constraint shows as the index it owns.
pub(super) const SHOW_SCHEMA: &str = "\
SHOW INDEXES YIELD labelsOrTypes, properties, owningConstraint, state, type, entityType
WHERE entityType = 'NODE' AND type = 'RANGE' AND state <> 'FAILED'
RETURN labelsOrTypes AS labels, properties, owningConstraint IS NOT NULL AS unique";

pub(super) const PING: &str = "RETURN 1";

/// What becomes of a row, read under the memory's lock: `refused` below the held version, `marked` when a memory that
/// the graph shall keep was deleted, else `replaced`.
const FATE: &str = "\
CASE WHEN m.epoch > row.epoch OR (m.epoch = row.epoch AND m.revision > row.revision) THEN 'refused'
     WHEN row.deleted AND row.detached AND m:Memory THEN 'marked'
     ELSE 'replaced' END AS fate";

/// Applies `$rows`, sorted by key, in one transaction.
///
/// 1. Lock the memories in key order, and only then look at their versions.
/// 2. Lock the entities they mention or mentioned, over all rows, in key order.
/// 3. Per row: take away what is no longer so, write what is, recount. A later row of an entity counts again, so the
///    last one is right.
///
/// Rows are read from `$rows` again in step 3 instead of being carried through step 2: the server charges a carried
/// map to every row that refers to it, and 50 memories exceeded its transaction memory.
///
/// Old relationships are looked for among all those of the memory's entities, so only where there are any.
fn project(relationships: &str) -> String {
    let types = relationship_types();
    let labels = each(Label::ALL.map(Label::name), |label| {
        format!("CASE x.label WHEN '{label}' THEN [1] ELSE [] END | SET e:{label}")
    });
    format!(
        "\
UNWIND $rows AS row
MERGE (m:IzzieMemory {{key: row.key}})
SET m._lock = true REMOVE m._lock
WITH row, m, {FATE}
WITH CASE fate WHEN 'replaced'
  THEN [(m)<-[:MENTIONED_IN]-(e:IzzieEntity) | e.key] + [x IN row.entities | x.key] ELSE [] END AS touched
UNWIND [''] + touched AS key
WITH DISTINCT key ORDER BY key
WITH collect(key)[1..] AS keys
FOREACH (key IN keys | MERGE (e:IzzieEntity {{key: key}}) SET e._lock = true REMOVE e._lock)
WITH 1 AS locked
UNWIND $rows AS row
MATCH (m:IzzieMemory {{key: row.key}})
WITH row, m, {FATE}
WITH row, m, fate,
  CASE fate WHEN 'replaced' THEN [x IN row.entities | x.key] ELSE [] END AS named,
  CASE fate WHEN 'replaced' THEN [(m)<-[:MENTIONED_IN]-(e:IzzieEntity) | e.key] ELSE [] END AS held
FOREACH (r IN CASE WHEN fate = 'replaced' AND m.relationships > 0 THEN
  [(m)<-[:MENTIONED_IN]-(:IzzieEntity)-[r:{types}]->(:IzzieEntity) WHERE r.memoryId = m.key | r] ELSE [] END | DELETE r)
FOREACH (r IN CASE fate WHEN 'replaced' THEN
  [(m)<-[r:MENTIONED_IN]-(e:IzzieEntity) WHERE NOT e.key IN named | r] ELSE [] END | DELETE r)
FOREACH (_ IN CASE fate WHEN 'marked' THEN [1] ELSE [] END |
  SET m += row.node, m.deleted = false, m.detached = true)
FOREACH (_ IN CASE fate WHEN 'replaced' THEN [1] ELSE [] END | SET m = row.node REMOVE m:Memory)
FOREACH (_ IN CASE WHEN fate = 'replaced' AND NOT row.deleted THEN [1] ELSE [] END | SET m:Memory)
FOREACH (x IN CASE fate WHEN 'replaced' THEN row.entities ELSE [] END |
  MERGE (e:IzzieEntity {{key: x.key}})
  SET e.userId = row.userId, e.normalized = x.normalized,
    e.name = coalesce(e.name, x.name), e.type = coalesce(e.type, x.type),
    e.confidence = CASE WHEN e.confidence > x.mention.confidence THEN e.confidence ELSE x.mention.confidence END,
    e.firstSeen = CASE WHEN e.firstSeen < row.seen THEN e.firstSeen ELSE row.seen END,
    e.lastSeen = CASE WHEN e.lastSeen > row.seen THEN e.lastSeen ELSE row.seen END
  MERGE (e)-[r:MENTIONED_IN]->(m) SET r = x.mention
{labels})
{relationships}FOREACH (key IN held + named | MERGE (e:IzzieEntity {{key: key}})
  SET e.frequency = COUNT {{ (e)-[:MENTIONED_IN]->() }})
RETURN row.key AS key, m.epoch AS epoch, m.revision AS revision, fate <> 'refused' AS applied"
    )
}

/// Without explicit relationships, as most memories are: twenty clauses less to plan (75 instead of 640 ms, once).
pub(super) static PROJECT: LazyLock<String> = LazyLock::new(|| project(""));

pub(super) static PROJECT_WITH_RELATIONSHIPS: LazyLock<String> = LazyLock::new(|| {
    let types = each(RelationshipType::ALL.iter().map(|kind| kind.name()), |kind| {
        format!("CASE x.type WHEN '{kind}' THEN [1] ELSE [] END | CREATE (a)-[r:{kind}]->(b) SET r = x.edge")
    });
    project(&format!(
        "\
FOREACH (x IN CASE fate WHEN 'replaced' THEN row.relationships ELSE [] END |
  MERGE (a:IzzieEntity {{key: x.from}}) MERGE (b:IzzieEntity {{key: x.to}})
{types})
"
    ))
});

/// One `FOREACH` per name: the way to a label or type chosen by a value that every Neo4j 5 knows and plans without a scan.
fn each(names: impl IntoIterator<Item = &'static str>, clause: impl Fn(&str) -> String) -> String {
    names.into_iter().map(|name| format!("  FOREACH (_ IN {})", clause(name))).collect::<Vec<_>>().join("\n")
}

fn relationship_types() -> String {
    RelationshipType::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join("|")
}

pub(super) const READ_BEAT: &str = "\
MATCH (b:IzzieBeat {key: 'beat'})
RETURN b.storeId AS storeId, b.epoch AS epoch, b.highWater AS highWater, b.nonce AS nonce";

/// The first beat. A racer that comes second finds the other's nonce.
pub(super) const FIRST_BEAT: &str = "\
MERGE (b:IzzieBeat {key: 'beat'})
SET b._lock = true REMOVE b._lock
WITH b WHERE b.nonce IS NULL OR b.nonce = $nonce
SET b.storeId = $storeId, b.epoch = $epoch, b.highWater = $highWater, b.nonce = $nonce
RETURN b.key AS key";

/// `b.nonce = $nonce`: this very swap was made already and its answer got lost.
pub(super) const NEXT_BEAT: &str = "\
MATCH (b:IzzieBeat {key: 'beat'})
SET b._lock = true REMOVE b._lock
WITH b WHERE b.nonce = $expected OR b.nonce = $nonce
SET b.storeId = $storeId, b.epoch = $epoch, b.highWater = $highWater, b.nonce = $nonce
RETURN b.key AS key";

const NODE_VERSION: &str = "\
RETURN n.key AS key, n.userId AS userId, n.epoch AS epoch, n.revision AS revision,
  n.h1 AS h1, n.h2 AS h2, n.deleted AS deleted, n.detached AS detached";

/// Memory keys are lower-case hyphenated UUIDs, so their text order is the order of the ids.
pub(super) static LIST_NODES: LazyLock<ByScope> = LazyLock::new(|| {
    ByScope::new(|filter, order| {
        format!(
            "\
MATCH (n:IzzieMemory) WHERE {filter}n.key > $after AND n.key <= $upTo
{NODE_VERSION} ORDER BY {order} LIMIT $limit"
        )
    })
});

pub(super) static GET_NODES: LazyLock<String> =
    LazyLock::new(|| format!("UNWIND $keys AS key MATCH (n:IzzieMemory {{key: key}})\n{NODE_VERSION}"));

/// The predicates on all properties of the index let it answer alone.
pub(super) const COUNT_LIVE: &str = "\
MATCH (n:IzzieMemory) WHERE n.deleted = false AND n.detached = false AND n.userId IS NOT NULL
RETURN count(n) AS value";

pub(super) const COUNT_LIVE_OF_USER: &str = "\
MATCH (n:IzzieMemory) WHERE n.deleted = false AND n.detached = false AND n.userId = $userId
RETURN count(n) AS value";

pub(super) static CLEAR_MEMORIES: LazyLock<ByScope> = LazyLock::new(|| {
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
pub(super) static CLEAR_ENTITIES: LazyLock<ByScope> = LazyLock::new(|| {
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
FOREACH (_ IN CASE mentions WHEN 0 THEN [] ELSE [1] END | SET n.frequency = mentions)
FOREACH (_ IN CASE mentions WHEN 0 THEN [1] ELSE [] END | DETACH DELETE n)
RETURN max(key) AS value"
        )
    })
});

/// Memories that were deleted in Postgres but kept here support nothing. The first `MATCH`es stand alone so that the
/// planner starts from the user's nodes and not from those of all.
pub(super) static EXPLICIT_RELATIONS: LazyLock<String> = LazyLock::new(|| {
    let types = relationship_types();
    format!(
        "\
OPTIONAL MATCH (m:IzzieMemory) WHERE m.deleted = false AND m.detached = true AND m.userId = $userId
WITH collect(m.key) AS detached
MATCH (a:IzzieEntity) WHERE a.userId = $userId AND a.key > ''
WITH a, detached
MATCH (a)-[r:{types}]->(b:IzzieEntity) WHERE b.userId = $userId AND NOT r.memoryId IN detached
WITH a, type(r) AS kind, b, count(DISTINCT r.memoryId) AS weight
RETURN a.type AS fromType, a.name AS fromName, b.type AS toType, b.name AS toName, kind, weight
ORDER BY weight DESC, fromName, toName, kind LIMIT $limit"
    )
});

pub(super) const CO_OCCURRENCES: &str = "\
MATCH (m:IzzieMemory) WHERE m.deleted = false AND m.detached = false AND m.userId = $userId
WITH m
MATCH (a:IzzieEntity)-[:MENTIONED_IN]->(m)<-[:MENTIONED_IN]-(b:IzzieEntity)
WHERE a.name < b.name OR (a.name = b.name AND a.key < b.key)
WITH a, b, count(*) AS weight WHERE weight >= 2
RETURN a.type AS fromType, a.name AS fromName, b.type AS toType, b.name AS toName, 'CO_OCCURS' AS kind, weight
ORDER BY weight DESC, fromName, toName LIMIT $limit";

/// A statement for one user's nodes and the same for all. One text with an optional predicate would use no index, and
/// the order must name all columns of the index to be read from it.
pub(super) struct ByScope {
    user: String,
    all: String,
}

impl ByScope {
    /// `text` gets the predicate on the node `n` and the order of its keys.
    fn new(text: impl Fn(&str, &str) -> String) -> Self {
        Self { user: text("n.userId = $userId AND ", "n.userId, n.key"), all: text("", "n.key") }
    }

    pub fn of(&self, user_id: Option<&str>) -> &str {
        if user_id.is_some() { &self.user } else { &self.all }
    }
}
