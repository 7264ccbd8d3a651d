//! The calls of the three services as JSON: one operation name, its arguments, the persistence config of the caller.

mod graph;
mod sync;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::config::{PersistenceConfig, parse_json};
use crate::error::{Error, Result};
use crate::input::moment;
use crate::model::EntityType;
use crate::retrieval::SearchMode;

pub use self::graph::*;
pub use self::sync::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    op: String,
    args: Box<RawValue>,
    #[serde(default)]
    persistence: Option<Box<RawValue>>,
}

/// A call whose arguments are not parsed yet.
pub struct Sealed {
    /// The operation's name, of this version's.
    pub name: &'static str,
    envelope: Envelope,
}

/// A call, parsed but not yet validated.
#[derive(Debug)]
pub struct Request {
    pub operation: Operation,
    /// The calling service's own config, where it has one.
    pub persistence: Option<PersistenceConfig>,
}

macro_rules! operations {
    ($($name:literal $variant:ident($args:ty),)+) => {
        /// Every operation with its arguments.
        #[derive(Debug)]
        pub enum Operation { $($variant($args),)+ }

        impl Operation {
            fn named(name: &str) -> Result<&'static str> {
                match name {
                    $($name => Ok($name),)+
                    _ => Err(unknown()),
                }
            }

            fn parse(name: &str, args: &str) -> Result<Self> {
                match name {
                    $($name => Ok(Self::$variant(parse_json(args)?)),)+
                    _ => Err(unknown()),
                }
            }
        }
    };
}

operations! {
    "store" Store(StoreArgs),
    "update" Update(UpdateArgs),
    "delete" Delete(DeleteArgs),
    "storeMany" StoreMany(StoreManyArgs),
    "checkMany" CheckMany(StoreManyArgs),
    "deleteMany" DeleteMany(DeleteManyArgs),
    "deleteAll" DeleteAll(DeleteAllArgs),
    "restore" Restore(GetByIdArgs),
    "purgeDeleted" PurgeDeleted(PurgeDeletedArgs),
    "retrieve" Retrieve(RetrieveArgs),
    "search" Search(RetrieveArgs),
    "getById" GetById(GetByIdArgs),
    "getMany" GetMany(GetManyArgs),
    "getAll" GetAll(GetAllArgs),
    "list" List(ListArgs),
    "exportPage" ExportPage(ExportArgs),
    "memoryStats" MemoryStats(UserArgs),
    "health" Health(NoArgs),
    "checkConsistency" CheckConsistency(CheckArgs),
    "verify" Verify(VerifyArgs),
    "repairInconsistencies" RepairInconsistencies(RepairArgs),
    "fullSync" FullSync(FullSyncArgs),
    "rebuildGraph" RebuildGraph(RebuildArgs),
    "deltaSync" DeltaSync(DeltaSyncArgs),
    "drain" Drain(DrainArgs),
    "backfill" Backfill(BackfillArgs),
    "reembed" Reembed(NoArgs),
    "getQueue" GetQueue(QueueArgs),
    "retryNow" RetryNow(RetryArgs),
    "purgeDead" PurgeDead(PurgeDeadArgs),
    "startAutoSync" StartAutoSync(NoArgs),
    "stopAutoSync" StopAutoSync(NoArgs),
    "getConflicts" GetConflicts(ConflictsArgs),
    "purgeConflicts" PurgeConflicts(PurgeConflictsArgs),
    "switchGraph" SwitchGraph(NoArgs),
    "syncStats" SyncStats(NoArgs),
    "strongestRelations" StrongestRelations(RelationsArgs),
    "getEntity" GetEntity(EntityArgs),
    "searchEntities" SearchEntities(SearchEntitiesArgs),
    "getTopEntities" GetTopEntities(TopEntitiesArgs),
    "getRelatedEntities" GetRelatedEntities(RelatedEntitiesArgs),
    "getMemoriesForEntity" GetMemoriesForEntity(EntityMemoriesArgs),
    "findPath" FindPath(PathArgs),
    "getEntityStats" GetEntityStats(UserArgs),
    "inspect" Inspect(NoArgs),
    "metrics" Metrics(NoArgs),
    "migrate" Migrate(MigrateArgs),
}

fn unknown() -> Error {
    Error::invalid("op", "is no operation of this version")
}

impl Sealed {
    pub fn of(json: &str) -> Result<Self> {
        let envelope: Envelope = parse_json(json)?;
        Ok(Self { name: Operation::named(&envelope.op)?, envelope })
    }

    pub fn open(self) -> Result<Request> {
        let Envelope { args, persistence, .. } = self.envelope;
        let persistence = persistence.map(|raw| parse_json(raw.get())).transpose()?;
        Ok(Request { operation: Operation::parse(self.name, args.get())?, persistence })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MigrateArgs {
    pub dry_run: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreArgs {
    pub user_id: String,
    pub content: String,
    pub metadata: Option<Map<String, Value>>,
    pub id: Option<String>,
    pub idempotency_key: Option<String>,
    pub conversation_id: Option<String>,
    pub importance: Option<i32>,
    pub summary: Option<String>,
    #[serde(default, deserialize_with = "moment::optional")]
    pub created_at: Option<DateTime<Utc>>,
    pub extract_entities: Option<bool>,
    pub entities: Option<Vec<Value>>,
    pub relationships: Option<Vec<Value>>,
    pub strict_entities: Option<bool>,
    pub defer: Option<bool>,
    /// Whether a memory that is there and marked deleted lives again.
    pub restore: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateArgs {
    pub id: String,
    pub user_id: Option<String>,
    pub content: Option<String>,
    /// Null clears it.
    #[serde(default, deserialize_with = "present")]
    pub summary: Option<Option<String>>,
    pub metadata: Option<Map<String, Value>>,
    pub metadata_patch: Option<Map<String, Value>>,
    pub importance: Option<i32>,
    pub entities: Option<Vec<Value>>,
    pub relationships: Option<Vec<Value>>,
    pub strict_entities: Option<bool>,
    pub extract_entities: Option<bool>,
    pub expected_revision: Option<i64>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteArgs {
    pub id: String,
    pub user_id: Option<String>,
    pub hard: Option<bool>,
    pub cascade_graph: Option<bool>,
    pub expected_revision: Option<i64>,
}

/// A line of an export with its user ([`crate::model::ExportedMemory`]).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportedLine {
    pub user_id: String,
    pub id: String,
    pub content: String,
    pub summary: Option<String>,
    pub importance: Option<i32>,
    pub conversation_id: Option<String>,
    #[serde(default, deserialize_with = "moment::optional")]
    pub created_at: Option<DateTime<Utc>>,
    pub metadata: Option<Box<RawValue>>,
    pub entities: Option<Vec<Value>>,
    pub relationships: Option<Vec<Value>>,
    /// For the caller, who deletes it once it is there.
    #[serde(rename = "deleted")]
    pub _deleted: Option<bool>,
    pub restore: Option<bool>,
}

/// One chunk. The embeddings of all items cross the boundary one behind the other.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreManyArgs {
    pub items: Vec<StoreManyItem>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreManyItem {
    /// [`StoreArgs`], or an [`ExportedLine`], parsed one by one: a bad item does not harm the others.
    pub memory: Box<RawValue>,
    /// Whether it is a line of an export.
    #[serde(default)]
    pub exported: bool,
    /// How many of the numbers that crossed belong to this item; 0 without an embedding.
    #[serde(default)]
    pub embedding_length: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteManyArgs {
    pub ids: Vec<String>,
    pub user_id: Option<String>,
    pub hard: Option<bool>,
    pub cascade_graph: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteAllArgs {
    pub user_id: String,
    pub hard: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurgeDeletedArgs {
    #[serde(deserialize_with = "moment::required")]
    pub older_than: DateTime<Utc>,
    pub user_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetrieveArgs {
    pub user_id: String,
    pub query: String,
    pub limit: Option<i64>,
    pub threshold: Option<f64>,
    pub conversation_id: Option<String>,
    pub min_importance: Option<i32>,
    #[serde(default, deserialize_with = "moment::optional")]
    pub since: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "moment::optional")]
    pub until: Option<DateTime<Utc>>,
    pub metadata: Option<Map<String, Value>>,
    pub entities: Option<Vec<EntityFilter>>,
    pub mode: Option<SearchMode>,
    pub explain: Option<bool>,
    /// Of `search` only.
    pub cursor: Option<String>,
}

/// An entity by any spelling that normalises to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityFilter {
    #[serde(rename = "type")]
    pub kind: Option<EntityType>,
    pub value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetByIdArgs {
    pub id: String,
    pub user_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetManyArgs {
    pub ids: Vec<String>,
    pub user_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetAllArgs {
    pub user_id: String,
    pub limit: Option<i64>,
    pub conversation_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListArgs {
    pub user_id: String,
    pub limit: Option<i64>,
    pub conversation_id: Option<String>,
    #[serde(default, deserialize_with = "moment::optional")]
    pub since: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "moment::optional")]
    pub until: Option<DateTime<Utc>>,
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportArgs {
    pub user_id: String,
    pub cursor: Option<String>,
    pub include_deleted: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserArgs {
    pub user_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> Error {
        Sealed::of(json).and_then(Sealed::open).expect_err("refused")
    }

    #[test]
    fn a_missing_member_an_unknown_option_and_a_wrong_kind_are_named() {
        let missing = refused(r#"{"op":"store","args":{"content":"x"}}"#);
        assert_eq!(missing.message, "userId: is missing");
        let unknown = refused(r#"{"op":"store","args":{"userId":"u","content":"x","importnce":3}}"#);
        assert_eq!(unknown.details["field"], "importnce");
        let kind = refused(r#"{"op":"store","args":{"userId":5,"content":"x"}}"#);
        assert_eq!(kind.details["field"], "userId");
        assert_eq!(kind.message, "userId: is a whole number, expected a string");
        let list = refused(r#"{"op":"store","args":{"userId":"u","content":"x","entities":"Ada"}}"#);
        assert_eq!(list.message, "entities: is a string, expected an array");
    }

    #[test]
    fn a_null_summary_clears_and_a_missing_one_does_not() {
        let parse = |json| match Sealed::of(json).and_then(Sealed::open).expect("valid").operation {
            Operation::Update(args) => args.summary,
            _ => unreachable!(),
        };
        assert_eq!(parse(r#"{"op":"update","args":{"id":"x"}}"#), None);
        assert_eq!(parse(r#"{"op":"update","args":{"id":"x","summary":null}}"#), Some(None));
    }
}
