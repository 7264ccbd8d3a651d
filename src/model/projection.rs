use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Entity, Relationship};

/// The form of what is written to a graph. Raised whenever the projected properties change; part of every digest.
pub const PROJECTION_VERSION: i32 = 1;

/// The order of all writes of one memory: a restored database continues under a higher epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    pub epoch: i64,
    pub revision: i64,
}

/// What the graph shall hold of one memory at one version. Built by the SQL function `izzie_memory.projection`.
///
/// `deleted && !detached`: the node becomes a tombstone without mentions. `deleted && detached`: the node stays as it
/// is and is only marked. `entities` and `relationships` are empty for both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Projection {
    pub memory_id: Uuid,
    pub user_id: String,
    #[serde(flatten)]
    pub version: Version,
    pub deleted: bool,
    pub detached: bool,
    /// Digest halves, 32 bits each.
    pub h1: i64,
    pub h2: i64,
    /// 10 bits of a hash of the id.
    pub bucket: i32,
    pub content: String,
    pub summary: Option<String>,
    pub importance: i32,
    /// Microseconds since the Unix epoch.
    pub created_at: i64,
    pub entities: Vec<Entity>,
    pub relationships: Vec<Relationship>,
}

/// What a store says it holds of one memory; the two sides of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeVersion {
    pub memory_id: Uuid,
    pub user_id: String,
    pub version: Version,
    pub h1: i64,
    pub h2: i64,
    pub deleted: bool,
    pub detached: bool,
}
