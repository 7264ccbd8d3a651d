//! Constraints and indexes.

/// Every node of ours has a key under one of these constraints; without them `MERGE` would scan and double nodes.
pub const SCHEMA: [SchemaRule; 10] = [
    SchemaRule::unique("izzie_memory_key", "IzzieMemory", &["key"]),
    SchemaRule::unique("izzie_entity_key", "IzzieEntity", &["key"]),
    SchemaRule::unique("izzie_beat_key", "IzzieBeat", &["key"]),
    SchemaRule::index("izzie_memory_user", "IzzieMemory", &["userId", "key"]),
    // Counts and digests of one user and of all, from the index alone.
    SchemaRule::index(
        "izzie_memory_live",
        "IzzieMemory",
        &["deleted", "detached", "userId", "bucket", "h1", "h2", "epoch", "revision"],
    ),
    // What memories say to have, compared with what they have. No write but the first changes all of it, so it is apart.
    SchemaRule::index(
        "izzie_memory_edges",
        "IzzieMemory",
        &["deleted", "detached", "userId", "bucket", "mentions", "relationships"],
    ),
    SchemaRule::index("izzie_memory_bucket", "IzzieMemory", &["bucket"]),
    SchemaRule::index("izzie_entity_user", "IzzieEntity", &["userId", "key"]),
    // A user's entities with their names. Not their frequency: each mention changes it, and with it in the index a
    // projection takes half as long again.
    SchemaRule::index("izzie_entity_names", "IzzieEntity", &["userId", "type", "normalized"]),
    // Holds only the entities that the sweep is for.
    SchemaRule::index("izzie_entity_unmentioned", "IzzieEntity", &["unmentioned"]),
];

#[derive(Debug)]
pub struct SchemaRule {
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

    /// Of an index that no constraint owns: Neo4j refuses to drop another one.
    pub fn drop_index(&self) -> String {
        format!("DROP INDEX {} IF EXISTS", self.name)
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
pub const SHOW_SCHEMA: &str = "\
SHOW INDEXES YIELD name, labelsOrTypes, properties, owningConstraint, state, type, entityType
WHERE entityType = 'NODE' AND type = 'RANGE'
RETURN name, labelsOrTypes AS labels, properties, owningConstraint IS NOT NULL AS unique, state = 'FAILED' AS failed";

/// Those of everybody. Uniqueness, existence and types alike can refuse a write.
pub const SHOW_CONSTRAINTS: &str = "\
SHOW CONSTRAINTS YIELD name, entityType, labelsOrTypes, properties
RETURN name, entityType = 'NODE' AS node, labelsOrTypes AS on, properties";
