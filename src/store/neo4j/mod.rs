//! The graph in Neo4j.
//!
//! Every node of ours carries `:IzzieMemory`, `:IzzieEntity` or `:IzzieBeat` and a key under a uniqueness constraint;
//! the application's labels stand beside it. Other nodes are never touched.

mod answers;
mod breaker;
mod config;
mod cypher;
mod exchange;
mod failure;
mod nodelay;
mod queries;
mod read_back;
mod rows;
mod schema;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use neo4rs::{BoltNull, BoltType};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use self::answers::{BeatRow, DigestRow, Fate, Held, NodeRow, RelationRow, SweepRow};
pub use self::config::Tuning;
use self::exchange::{Exchange, Statement};
use self::rows::Rows;
use super::graph::{Applied, Beat, BucketDigest, Circuit, GraphKind, GraphStore, Outcome};
use crate::config::Neo4jOptions;
use crate::error::{Error, Reason, Result};
use crate::model::{HeldMemory, NodeVersion, Projection, StrongRelation, Version};

/// Attempts at a batch whose memories others delete meanwhile.
const ATTEMPTS: usize = 5;
/// Nodes per deleting transaction. The server holds a transaction's changes in memory, the mentions included.
const MEMORIES_PER_CLEAR: u32 = 500;
const ENTITIES_PER_CLEAR: u32 = 100;
/// Tombstones are small and have no mentions.
const TOMBSTONES_PER_COLLECTION: usize = 1000;

/// Planning the projection takes a busy server ten seconds when it has just started.
const PLANNING: Duration = Duration::from_secs(60);

pub struct Neo4jGraph {
    exchange: Arc<Exchange>,
    /// The server has planned the projection since we last lost it.
    planned: AtomicBool,
}

impl Neo4jGraph {
    /// Checks the options; connects at the first use.
    pub fn new(options: &Neo4jOptions, tuning: Tuning) -> Result<Self> {
        Ok(Self { exchange: Arc::new(Exchange::new(options, tuning)?), planned: AtomicBool::new(false) })
    }

    async fn ask<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>> {
        answers::all(&self.exchange.run(statement).await?)
    }

    async fn ask_value<T: DeserializeOwned>(&self, statement: Statement) -> Result<T> {
        answers::value(&self.exchange.run(statement).await?)
    }

    async fn node_versions(&self, statement: Statement) -> Result<Vec<NodeVersion>> {
        let nodes: Vec<NodeRow> = self.ask(statement).await?;
        Ok(nodes.into_iter().filter_map(NodeRow::version).collect())
    }

    /// What the graph holds of these memories now, by key. Those that were deleted meanwhile are missing.
    async fn project_rows(&self, rows: &Rows) -> Result<HashMap<String, Held>> {
        let text =
            if rows.any_relationships { &cypher::PROJECT_WITH_RELATIONSHIPS } else { &cypher::PROJECT };
        let statement = Statement::new(text).param("batch", rows.batch.clone());
        let held = self.ask(statement).await;
        let held: Vec<Held> = held.inspect_err(|_| self.planned.store(false, Ordering::Relaxed))?;
        Ok(held.into_iter().map(|held| (held.key.clone(), held)).collect())
    }

    /// Projects nothing, with time for it: a projection that runs out of its own time while it is planned is planned from
    /// the start when it is repeated.
    async fn plan(&self) -> Result<()> {
        if self.planned.load(Ordering::Relaxed) {
            return Ok(());
        }
        let statement = Statement::new(&cypher::PROJECT).param("batch", Rows::of(&[])?.batch);
        self.exchange.run(statement.within(PLANNING)).await?;
        self.planned.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn clear_memories(&self, user_id: Option<&str>) -> Result<u64> {
        let mut total = 0;
        loop {
            let statement = scoped(cypher::CLEAR_MEMORIES.of(user_id), user_id);
            let gone: u64 = self.ask_value(statement.param("limit", MEMORIES_PER_CLEAR)).await?;
            total += gone;
            // Not until none is left: somebody may be writing all the while.
            if gone < u64::from(MEMORIES_PER_CLEAR) {
                return Ok(total);
            }
        }
    }

    async fn settle_entities(&self, user_id: Option<&str>) -> Result<()> {
        let mut after = Some(String::new());
        while let Some(last) = after {
            let statement = scoped(cypher::SETTLE_ENTITIES.of(user_id), user_id);
            after = self.ask_value(statement.param("after", last).param("limit", ENTITIES_PER_CLEAR)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl GraphStore for Neo4jGraph {
    fn kind(&self) -> GraphKind {
        GraphKind::Neo4j
    }

    fn shares_database(&self) -> bool {
        false
    }

    fn circuit(&self) -> Option<Circuit> {
        Some(self.exchange.circuit())
    }

    async fn ping(&self) -> Result<()> {
        self.exchange.run(Statement::new(cypher::PING)).await.map(drop)
    }

    async fn prepare(&self) -> Result<()> {
        schema::prepare(&self.exchange).await?;
        self.plan().await
    }

    async fn unprepared(&self) -> Result<Vec<&'static str>> {
        schema::missing_names(&self.exchange).await
    }

    async fn read_beat(&self) -> Result<Option<Beat>> {
        let beat: Option<BeatRow> = self.ask(Statement::new(cypher::READ_BEAT)).await?.pop();
        beat.map(Beat::try_from).transpose()
    }

    async fn swap_beat(&self, expected: Option<Uuid>, next: &Beat) -> Result<bool> {
        let statement = match expected {
            None => Statement::new(cypher::FIRST_BEAT),
            Some(nonce) => Statement::new(cypher::NEXT_BEAT).param("expected", nonce.to_string()),
        };
        let statement = statement
            .param("storeId", next.store_id.to_string())
            .param("epoch", next.epoch)
            .param("highWater", next.high_water)
            .param("nonce", next.nonce.to_string());
        let statement = horizon_of(statement, next.horizon);
        Ok(!self.exchange.run(statement).await?.is_empty())
    }

    async fn project(&self, batch: &[Projection]) -> Result<Vec<Applied>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Rows::of(batch)?;
        for _ in 0..ATTEMPTS {
            let held = self.project_rows(&rows).await?;
            if held.len() == rows.count {
                return batch.iter().map(|projection| applied(projection, &held)).collect();
            }
        }
        Err(Error::graph(Reason::Unavailable, "Memories were deleted in Neo4j while they were written."))
    }

    async fn digests(&self, user_id: Option<&str>) -> Result<Vec<BucketDigest>> {
        let digests: Vec<DigestRow> = self.ask(scoped(cypher::DIGESTS.of(user_id), user_id)).await?;
        Ok(digests.iter().filter_map(DigestRow::digest).collect())
    }

    async fn list_buckets(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<NodeVersion>> {
        let buckets: Vec<i64> = buckets.iter().map(|&bucket| i64::from(bucket)).collect();
        let statement = scoped(cypher::LIST_BUCKETS.of(user_id), user_id).param("buckets", buckets);
        self.node_versions(statement).await
    }

    async fn read_back(&self, ids: &[Uuid]) -> Result<Vec<HeldMemory>> {
        self.read_memories_back(ids).await
    }

    async fn distrust(&self, ids: &[Uuid]) -> Result<()> {
        self.distrust_memories(ids).await
    }

    async fn sweep_entities(&self, limit: usize) -> Result<u64> {
        let (mut left, mut total) = (bolt_limit(limit), 0);
        while left > 0 {
            let batch = left.min(i64::from(ENTITIES_PER_CLEAR));
            let statement = Statement::new(cypher::SWEEP_ENTITIES).param("limit", batch);
            let Some(SweepRow { met, swept }) = self.ask(statement).await?.pop() else { break };
            total += swept;
            left -= batch;
            if met < batch {
                break;
            }
        }
        Ok(total)
    }

    async fn collect_tombstones(&self, ids: &[Uuid], horizon: Version) -> Result<()> {
        let raising = horizon_of(Statement::new(cypher::RAISE_HORIZON), horizon);
        if self.exchange.run(raising).await?.is_empty() {
            return Err(Error::graph(
                Reason::Unavailable,
                "The graph has no beat that could hold a horizon.",
            ));
        }
        let mut keys: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        keys.sort_unstable();
        for keys in keys.chunks(TOMBSTONES_PER_COLLECTION) {
            let statement = Statement::new(cypher::COLLECT_TOMBSTONES).param("keys", keys.to_vec());
            self.exchange.run(horizon_of(statement, horizon)).await?;
        }
        Ok(())
    }

    async fn get_nodes(&self, ids: &[Uuid]) -> Result<Vec<NodeVersion>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        self.node_versions(Statement::new(&cypher::GET_NODES).param("keys", keys)).await
    }

    async fn count(&self, user_id: Option<&str>) -> Result<u64> {
        self.ask_value(scoped(cypher::COUNT_LIVE.of(user_id), user_id)).await
    }

    async fn clear(&self, user_id: Option<&str>) -> Result<u64> {
        let gone = self.clear_memories(user_id).await?;
        self.settle_entities(user_id).await?;
        Ok(gone)
    }

    async fn strongest_relations(&self, user_id: &str, limit: usize) -> Result<Vec<StrongRelation>> {
        let ask = |text: &str, limit: usize| {
            self.ask::<RelationRow>(
                Statement::new(text).param("userId", user_id).param("limit", bolt_limit(limit)),
            )
        };
        let mut relations = ask(&cypher::EXPLICIT_RELATIONS, limit).await?;
        let rest = limit.saturating_sub(relations.len());
        if rest > 0 {
            relations.extend(ask(&cypher::CO_OCCURRENCES, rest).await?);
        }
        Ok(relations.into_iter().map(StrongRelation::from).collect())
    }

    async fn close(&self) {
        self.exchange.close();
    }
}

/// Rows returned are compared with rows sent: a memory the answer does not name counts as not applied.
fn applied(projection: &Projection, held: &HashMap<String, Held>) -> Result<Applied> {
    let held = held.get(&projection.memory_id.to_string()).ok_or_else(|| {
        Error::graph(Reason::Internal, "Neo4j did not answer for every memory of a batch.")
            .with("memoryId", projection.memory_id.to_string())
    })?;
    let version = held.version();
    let outcome = match held.fate {
        // A tombstone up to the horizon: what it forbids, the horizon forbids.
        Fate::Barred if projection.deleted => Outcome::Applied,
        Fate::Barred => Outcome::BelowHorizon,
        // Of two versions of one memory in a batch only the higher was sent.
        Fate::Replaced | Fate::Marked if version == projection.version => Outcome::Applied,
        Fate::Replaced | Fate::Marked | Fate::Refused => Outcome::Refused,
    };
    Ok(Applied { memory_id: projection.memory_id, version, outcome })
}

fn horizon_of(statement: Statement, horizon: Version) -> Statement {
    statement.param("horizonEpoch", horizon.epoch).param("horizonRevision", horizon.revision)
}

fn scoped(text: &str, user_id: Option<&str>) -> Statement {
    Statement::new(text).param("userId", user_id.map_or(BoltType::Null(BoltNull), BoltType::from))
}

fn bolt_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
