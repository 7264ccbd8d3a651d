//! Arguments of the sync service's operations.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::config::ConflictStrategy;
use crate::input::moment;
use crate::model::Inconsistency;
use crate::store::postgres::{DebtState, DebtTarget};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckArgs {
    pub user_id: Option<String>,
    pub limit: Option<i64>,
    pub deep: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyArgs {
    pub user_id: Option<String>,
    pub deep: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepairArgs {
    pub inconsistencies: Vec<Inconsistency>,
    pub conflict_strategy: Option<ConflictStrategy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FullSyncArgs {
    pub user_id: Option<String>,
    pub limit: Option<i64>,
    pub dry_run: Option<bool>,
    pub deep: Option<bool>,
    pub conflict_strategy: Option<ConflictStrategy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeltaSyncArgs {
    pub user_id: Option<String>,
    pub max_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrainArgs {
    pub max_ms: Option<u64>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackfillArgs {
    pub embed: Option<bool>,
    pub extract: Option<bool>,
    pub user_id: Option<String>,
    pub dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueueArgs {
    pub state: Option<DebtState>,
    pub target: Option<DebtTarget>,
    pub user_id: Option<String>,
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetryArgs {
    pub ids: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurgeDeadArgs {
    pub ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConflictsArgs {
    pub state: Option<ConflictState>,
    pub user_id: Option<String>,
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurgeConflictsArgs {
    pub user_id: Option<String>,
    #[serde(default, deserialize_with = "moment::optional")]
    pub older_than: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConflictState {
    Open,
    Resolved,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RebuildArgs {
    pub user_id: Option<String>,
    pub limit: Option<i64>,
    pub clear_existing: Option<bool>,
}
