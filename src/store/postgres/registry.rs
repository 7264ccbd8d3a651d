//! Which graph this database belongs to, its lineage (epoch) and the beat it last wrote.

use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::model::{PROJECTION_VERSION, Version};
use crate::store::graph::GraphKind;

/// The registered graph.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Target {
    /// Its name in `memory_sync`.
    pub target: String,
    pub kind: String,
    pub store_id: Uuid,
    pub projection_version: i32,
    pub nonce: Option<Uuid>,
    pub next_nonce: Option<Uuid>,
    pub horizon_epoch: i64,
    pub horizon_revision: i64,
    /// Some of what it is owed has not been written down yet (`izzie_memory.jobs`).
    pub unfinished: bool,
}

impl Target {
    /// Tombstones up to this version may be gone from the graph.
    pub fn horizon(&self) -> Version {
        Version { epoch: self.horizon_epoch, revision: self.horizon_revision }
    }
}

/// Where this database stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Lineage {
    pub epoch: i64,
    /// The highest revision given out.
    pub high_water: i64,
}

impl Postgres {
    pub async fn current_target(&self) -> Result<Option<Target>> {
        self.user().optional(Effect::Repeatable, Sql::new(include_str!("queries/current_target.sql"))).await
    }

    /// The names under which graphs stand in the queue.
    pub async fn graph_targets(&self) -> Result<Vec<String>> {
        self.user().scalars(Effect::Repeatable, Sql::new(include_str!("queries/graph_targets.sql"))).await
    }

    /// Registers a graph if none is. The job `owe:<target>` then owes it everything there is. Answers the current one,
    /// whoever registered it.
    pub async fn register_target(&self, kind: GraphKind) -> Result<Target> {
        self.new_target(include_str!("queries/register_target.sql"), kind).await
    }

    pub async fn lineage(&self) -> Result<Lineage> {
        self.background().one(Effect::Repeatable, Sql::new(include_str!("queries/lineage.sql"))).await
    }

    /// Raises the epoch to at least `epoch`; the job `renew` then takes all memories there.
    pub async fn raise_epoch(&self, epoch: i64) -> Result<()> {
        let sql = Sql::new(include_str!("queries/raise_epoch.sql")).bind(epoch);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Notes that the graph is projected in this code's form from now on; the job `renew` takes all memories there.
    pub async fn upgrade_projection(&self, target: &str) -> Result<()> {
        let sql =
            Sql::new(include_str!("queries/upgrade_projection.sql")).bind(target).bind(PROJECTION_VERSION);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Makes a graph of this kind the current one. The job `switch:<target>` tells that it has to be cleared first.
    pub async fn switch_target(&self, kind: GraphKind) -> Result<Target> {
        self.new_target(include_str!("queries/switch_target.sql"), kind).await
    }

    async fn new_target(&self, text: &'static str, kind: GraphKind) -> Result<Target> {
        let store_id = Uuid::new_v4();
        let target = format!("{}:{store_id}", kind.name());
        let sql = Sql::new(text).bind(&target).bind(kind.name()).bind(store_id).bind(PROJECTION_VERSION);
        self.user().one(Effect::Repeatable, sql).await
    }

    /// Proposes the next beat; a proposal that stands already is answered instead.
    pub async fn propose_nonce(&self, target: &str, nonce: Uuid) -> Result<Uuid> {
        self.background()
            .scalar(
                Effect::Repeatable,
                Sql::new(include_str!("queries/propose_nonce.sql")).bind(target).bind(nonce),
            )
            .await
    }

    /// Whether this database has ever written that beat to the graph.
    pub async fn knows_nonce(&self, target: &str, nonce: Uuid) -> Result<bool> {
        let sql = Sql::new(include_str!("queries/knows_nonce.sql")).bind(nonce).bind(target);
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// The graph holds this beat now. Those of long ago are forgotten.
    pub async fn confirm_nonce(&self, target: &str, nonce: Uuid) -> Result<()> {
        self.background()
            .execute(
                Effect::Repeatable,
                Sql::new(include_str!("queries/confirm_nonce.sql")).bind(target).bind(nonce),
            )
            .await
    }
}
