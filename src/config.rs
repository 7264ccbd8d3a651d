//! Options of a layer and their defaults. The facade resolves environment variables and the embedded store before.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A value that no log, error or `Debug` shows.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Everything a layer needs to know.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayerConfig {
    /// Where queries go; may be a pooler.
    pub database_url: Secret,
    /// Where migrations go: never a pooler. Default: `database_url`.
    #[serde(default)]
    pub direct_url: Option<Secret>,
    /// True when `database_url` is the relay of our embedded database, which has one session.
    #[serde(default)]
    pub embedded: bool,
    #[serde(default)]
    pub neo4j: Option<Neo4jOptions>,
    #[serde(default)]
    pub graph_store: GraphChoice,
    #[serde(default)]
    pub embedder: Option<EmbedderOptions>,
    #[serde(default)]
    pub extractor: Option<ExtractorOptions>,
    #[serde(default)]
    pub persistence: PersistenceConfig,
    #[serde(default)]
    pub limits: Limits,
    /// Entities and relationships that are not as documented are errors of the call.
    #[serde(default)]
    pub strict_entities: bool,
    #[serde(default)]
    pub pool: PoolOptions,
}

impl LayerConfig {
    pub fn parse(json: &str) -> Result<Self> {
        parse_json(json)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Neo4jOptions {
    pub uri: Secret,
    pub user: String,
    pub password: Secret,
    #[serde(default)]
    pub database: Option<String>,
}

/// Which graph mirrors the memories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GraphChoice {
    /// Neo4j when it is configured, else the graph inside Postgres.
    #[default]
    Auto,
    Neo4j,
    Postgres,
    None,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum EmbedderOptions {
    Named(Named),
    Some(EmbedderKind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    None,
    /// Offline rules; for extractors only, as an embedder's weights have a folder.
    Local,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase", rename_all_fields = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum EmbedderKind {
    Callback {
        model: String,
        dimensions: usize,
    },
    OpenAi {
        #[serde(default)]
        base_url: Option<String>,
        api_key: Secret,
        #[serde(default)]
        model: Option<String>,
        #[serde(default)]
        dimensions: Option<usize>,
        /// Texts in one request.
        #[serde(default)]
        batch_size: Option<usize>,
        /// For one request.
        #[serde(default)]
        timeout_ms: Option<u64>,
    },
    /// The offline model, in the folder of its weights.
    Local {
        directory: PathBuf,
    },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum ExtractorOptions {
    Named(Named),
    Some(ExtractorKind),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase", rename_all_fields = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum ExtractorKind {
    Callback {},
    OpenAi {
        #[serde(default)]
        base_url: Option<String>,
        api_key: Secret,
        #[serde(default)]
        model: Option<String>,
        /// For one request.
        #[serde(default)]
        timeout_ms: Option<u64>,
    },
}

/// How a service persists. A `PersistenceService` brings its own; calls carry it to the core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PersistenceConfig {
    /// False: stored without an embedding, found by text.
    pub enable_vector_store: bool,
    /// False: nothing is owed to the graph and health does not count it.
    pub enable_graph_store: bool,
    /// Undo the Postgres write when the graph write fails.
    pub rollback_on_partial_failure: bool,
    /// Permanent graph refusals before a debt goes to `dead`.
    pub retry_attempts: u32,
    /// Base of the exponential back-off between attempts.
    pub retry_delay_ms: u64,
    /// The longest a write waits for the graph.
    pub graph_wait_ms: u64,
    /// Pay debts in the background and check on an interval.
    pub enable_auto_sync: bool,
    /// Between two checks of the background.
    pub sync_interval_ms: u64,
    /// Who wins where somebody edited the graph.
    pub conflict_strategy: ConflictStrategy,
}

/// Who wins where the graph has a memory's revision but other properties, or a node without row and tombstone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictStrategy {
    /// The row is projected again.
    #[default]
    VectorWins,
    /// The row gets a new revision with what the node holds.
    GraphWins,
    /// The node where it says to have been edited after the row was, else the row.
    LatestWins,
    /// The row gets a new revision with the entities and relationships of both.
    Merge,
    /// Nothing is changed; the conflict is listed until somebody decides.
    Manual,
    /// The caller's function decides, each time.
    Callback,
}

impl ConflictStrategy {
    pub fn name(self) -> &'static str {
        match self {
            Self::VectorWins => "vector_wins",
            Self::GraphWins => "graph_wins",
            Self::LatestWins => "latest_wins",
            Self::Merge => "merge",
            Self::Manual => "manual",
            Self::Callback => "callback",
        }
    }
}

impl Default for PersistenceConfig {
    fn default() -> Self {
        Self {
            enable_vector_store: true,
            enable_graph_store: true,
            rollback_on_partial_failure: false,
            retry_attempts: 3,
            retry_delay_ms: 1000,
            graph_wait_ms: 500,
            enable_auto_sync: false,
            sync_interval_ms: 300_000,
            conflict_strategy: ConflictStrategy::VectorWins,
        }
    }
}

/// Upper limits of input.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of UTF-8 in `content`.
    pub content_bytes: usize,
    /// Bytes of `metadata` as JSON.
    pub metadata_bytes: usize,
    /// Entities, and relationships, of one memory.
    pub entities: usize,
    /// Ids in one `getMany` or `deleteMany`, memories in one chunk of `storeMany`.
    pub batch: usize,
    /// Bytes of UTF-8 in a query.
    pub query_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            content_bytes: 100_000,
            metadata_bytes: 100_000,
            entities: 200,
            batch: 1000,
            query_bytes: 10_000,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PoolOptions {
    /// Connections to Postgres for user calls. The embedded database always has one.
    pub max: u32,
    /// How long a call waits for a connection. The embedded database has one for all, and its owner may be a busy process: six
    /// times as long there.
    pub acquire_timeout_ms: Option<u64>,
    /// Whether connections keep statements prepared.
    pub prepared_statements: PreparedStatements,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PreparedStatements {
    /// Where no pooler is in between, or one that keeps track of them.
    #[default]
    Auto,
    /// Always: one round trip a statement.
    On,
    /// Never: each statement in a transaction of its own, four round trips.
    Off,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { max: 5, acquire_timeout_ms: None, prepared_statements: PreparedStatements::Auto }
    }
}

impl PoolOptions {
    pub fn acquire_timeout(&self, embedded: bool) -> Duration {
        let default = if embedded { 60_000 } else { 10_000 };
        Duration::from_millis(self.acquire_timeout_ms.unwrap_or(default))
    }
}

/// Parses JSON into a type; a mismatch is an `INVALID_ARGUMENT` that names the field.
pub fn parse_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let (field, problem) = for_people(&path, &error.into_inner().to_string());
        Error::invalid(&field, problem)
    })
}

/// The same for a value that was parsed before: `field` is its place.
pub fn parse_value<T: serde::de::DeserializeOwned>(field: &str, value: &serde_json::Value) -> Result<T> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = error.path().to_string();
        let path = match inner.as_str() {
            "." => field.to_owned(),
            inside => format!("{field}.{inside}"),
        };
        let (field, problem) = for_people(&path, &error.into_inner().to_string());
        Error::invalid(&field, problem)
    })
}

/// serde's words as ours: the field it is about, and what is wrong with it. serde quotes the offending value, which may
/// be somebody's memory or a password, so only its kind is kept; the position in our own JSON helps nobody.
fn for_people(path: &str, message: &str) -> (String, String) {
    let message = message.split(" at line ").next().unwrap_or(message);
    let inside = |name: &str| if path == "." { name.to_owned() } else { format!("{path}.{name}") };
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("missing field") {
        return (inside(quoted()), "is missing".to_owned());
    }
    if message.starts_with("unknown field") {
        return (path.to_owned(), format!("is no known option; there are {}", known(message)));
    }
    let field = if path == "." { "request".to_owned() } else { path.to_owned() };
    if message.starts_with("unknown variant") {
        return (field, format!("is none of {}", known(message)));
    }
    match message.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid") => {
            (field, format!("is {}, expected {}", kind(found), kind(expected)))
        }
        _ if message.starts_with("UUID parsing failed") => (field, "is a string that is no UUID".to_owned()),
        _ if message.contains("surrogate") => {
            (field, "has half of a surrogate pair, which is no Unicode text".to_owned())
        }
        _ => (field, message.to_owned()),
    }
}

/// The list at the end of serde's message.
fn known(message: &str) -> String {
    let list = message.split_once("expected ").map_or("", |(_, list)| list);
    list.trim_start_matches("one of ").replace('`', "'")
}

fn kind(words: &str) -> &str {
    const KINDS: &[(&[&str], &str)] = &[
        (&["string"], "a string"),
        (&["boolean"], "a boolean"),
        (&["floating point", "f64"], "a number"),
        (&["integer", "i32", "i64", "u32", "u64", "usize"], "a whole number"),
        (&["map", "struct"], "an object"),
        (&["sequence", "array"], "an array"),
        (&["null", "unit"], "null"),
    ];
    KINDS
        .iter()
        .find(|(serde, _)| serde.iter().any(|word| words.contains(word)))
        .map_or(words, |(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_values_stay_out_of_messages() {
        let config = LayerConfig::parse(r#"{"databaseUrl":"postgres://u:canary@h/d"}"#).expect("valid");
        assert!(!format!("{config:?}").contains("canary"));
        let error =
            LayerConfig::parse(r#"{"databaseUrl":"x","pool":{"max":"canary"}}"#).expect_err("a string");
        assert_eq!(error.details["field"], "pool.max");
        assert!(!error.message.contains("canary"), "{}", error.message);
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let error = LayerConfig::parse(r#"{"databaseUrl":"x","databseUrl":"y"}"#).expect_err("unknown");
        assert!(error.message.contains("databseUrl"), "{}", error.message);
    }
}
