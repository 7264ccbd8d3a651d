//! The graph in Neo4j.
//!
//! Every node of ours carries `:IzzieMemory`, `:IzzieEntity` or `:IzzieBeat` and a key under a uniqueness constraint, and
//! labels of ours only (`labels.rs`). Nodes and edges of other programs are never touched and never counted; an edge of
//! theirs at a node of ours goes with it.

mod answers;
mod breaker;
mod config;
mod cypher;
mod exchange;
mod failure;
mod held;
mod labels;
mod nodelay;
mod queries;
mod read_back;
mod rows;
mod schema;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use neo4rs::{BoltNull, BoltType};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use self::answers::{BeatRow, DigestRow, Fate, GoneRow, Held, NodeRow, PageRow, RelationRow, SweepRow};
pub use self::config::Tuning;
use self::exchange::{Exchange, Statement};
use self::rows::Rows;
use super::graph::{Applied, Beat, BucketDigest, Circuit, GraphKind, GraphStore, Outcome, Removed};
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

/// Entities relabelled, or nodes looked at for edges of others, per statement.
const RENEWED_AT_ONCE: u32 = 500;
const LOOKED_AT_ONCE: u32 = 2000;

pub struct Neo4jGraph {
    exchange: Arc<Exchange>,
    /// The server has planned the projection since we last lost it.
    planned: AtomicBool,
    /// Edges of other programs that went with nodes of ours.
    foreign_edges: AtomicU64,
}

impl Neo4jGraph {
    /// Checks the options; connects at the first use.
    pub fn new(options: &Neo4jOptions, tuning: Tuning) -> Result<Self> {
        Ok(Self {
            exchange: Arc::new(Exchange::new(options, tuning)?),
            planned: AtomicBool::new(false),
            foreign_edges: AtomicU64::new(0),
        })
    }

    async fn ask<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>> {
        answers::all(&self.exchange.run(statement).await?)
    }

    /// The one row of an aggregate.
    async fn ask_row<T: DeserializeOwned>(&self, statement: Statement) -> Result<T> {
        answers::row(&self.exchange.run(statement).await?)
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
        let statement =
            Statement::work("the projection of memories", text).param("batch", rows.batch.clone());
        let held = self.ask(statement).await;
        let held: Vec<Held> = held.inspect_err(|_| self.planned.store(false, Ordering::Relaxed))?;
        Ok(held.into_iter().map(|held| (held.key.clone(), held)).collect())
    }

    /// Projects nothing, so that the first write finds the statement planned.
    async fn plan(&self) -> Result<()> {
        if self.planned.load(Ordering::Relaxed) {
            return Ok(());
        }
        let statement = Statement::work("the plan of a projection", &cypher::PROJECT);
        self.exchange.run(statement.param("batch", Rows::of(&[])?.batch)).await?;
        self.planned.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn clear_memories(&self, user_id: Option<&str>) -> Result<Removed> {
        let mut total = Removed::default();
        loop {
            let statement = scoped("the removal of memories", cypher::CLEAR_MEMORIES.of(user_id), user_id);
            let GoneRow { gone, foreign } =
                self.ask_row(statement.param("limit", MEMORIES_PER_CLEAR)).await?;
            total += Removed { nodes: gone, foreign_edges: foreign };
            // Not until none is left: somebody may be writing all the while.
            if gone < u64::from(MEMORIES_PER_CLEAR) {
                return Ok(total);
            }
        }
    }

    /// Answers how many edges of others went.
    async fn settle_entities(&self, user_id: Option<&str>) -> Result<u64> {
        let text = cypher::SETTLE_ENTITIES.of(user_id);
        self.through_pages("the removal of entities", text, user_id, ENTITIES_PER_CLEAR).await
    }

    /// Runs a statement for page after page of nodes, by key; answers how many edges of others it met.
    async fn through_pages(
        &self,
        what: &'static str,
        text: &str,
        user_id: Option<&str>,
        limit: u32,
    ) -> Result<u64> {
        let mut total = 0;
        let mut after = Some(String::new());
        while let Some(key) = after {
            let statement = scoped(what, text, user_id).param("after", key).param("limit", limit);
            let PageRow { last, foreign } = self.ask_row(statement).await?;
            total += foreign;
            after = last;
        }
        Ok(total)
    }

    /// Counts and tells of edges that others had hung at nodes of ours.
    fn account(&self, removed: Removed) -> Removed {
        let edges = removed.foreign_edges;
        if edges > 0 {
            self.foreign_edges.fetch_add(edges, Ordering::Relaxed);
            log::warn!(
                "{edges} edges of other programs went with nodes of izzie-memory that were removed from Neo4j"
            );
        }
        removed
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
        self.exchange.ping().await
    }

    async fn prepare(&self) -> Result<()> {
        schema::prepare(&self.exchange).await?;
        self.plan().await
    }

    async fn unprepared(&self) -> Result<Vec<&'static str>> {
        schema::missing_names(&self.exchange).await
    }

    async fn foreign_constraints(&self) -> Result<Vec<String>> {
        schema::foreign_constraints(&self.exchange).await
    }

    async fn read_beat(&self) -> Result<Option<Beat>> {
        let beat: Option<BeatRow> =
            self.ask(Statement::work("the graph's owner", cypher::READ_BEAT)).await?.pop();
        beat.map(Beat::try_from).transpose()
    }

    async fn swap_beat(&self, expected: Option<Uuid>, next: &Beat) -> Result<bool> {
        let statement = match expected {
            None => Statement::work("the graph's owner", cypher::FIRST_BEAT),
            Some(nonce) => {
                Statement::work("the graph's owner", cypher::NEXT_BEAT).param("expected", nonce.to_string())
            }
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
        let digests: Vec<DigestRow> =
            self.ask(scoped("the digests", cypher::DIGESTS.of(user_id), user_id)).await?;
        Ok(digests.iter().filter_map(DigestRow::digest).collect())
    }

    async fn torn_buckets(&self, user_id: Option<&str>) -> Result<Vec<i32>> {
        self.buckets_torn(user_id).await
    }

    async fn torn(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<Uuid>> {
        self.memories_torn(user_id, buckets).await
    }

    async fn list_buckets(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<NodeVersion>> {
        let statement = scoped("a list of memories", cypher::LIST_BUCKETS.of(user_id), user_id);
        let statement = statement.param("buckets", numbers(buckets));
        self.node_versions(statement).await
    }

    async fn read_back(&self, ids: &[Uuid]) -> Result<Vec<HeldMemory>> {
        self.read_memories_back(ids).await
    }

    async fn distrust(&self, ids: &[Uuid]) -> Result<()> {
        self.distrust_memories(ids).await
    }

    async fn sweep_entities(&self, limit: usize) -> Result<Removed> {
        let (mut left, mut total) = (bolt_limit(limit), Removed::default());
        while left > 0 {
            let batch = left.min(i64::from(ENTITIES_PER_CLEAR));
            let statement = Statement::work("the sweep of entities", &cypher::SWEEP_ENTITIES);
            let SweepRow { met, swept, foreign } = self.ask_row(statement.param("limit", batch)).await?;
            total += self.account(Removed { nodes: swept, foreign_edges: foreign });
            left -= batch;
            if met < batch {
                break;
            }
        }
        Ok(total)
    }

    async fn collect_tombstones(&self, ids: &[Uuid], horizon: Version) -> Result<Removed> {
        let raising = horizon_of(Statement::work("the horizon", cypher::RAISE_HORIZON), horizon);
        if self.exchange.run(raising).await?.is_empty() {
            return Err(Error::graph(
                Reason::Unavailable,
                "The graph has no beat: it was wiped, and nothing could hold a horizon.",
            ));
        }
        let mut keys: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        keys.sort_unstable();
        let mut total = Removed::default();
        for keys in keys.chunks(TOMBSTONES_PER_COLLECTION) {
            let statement = Statement::work("the removal of tombstones", &cypher::COLLECT_TOMBSTONES);
            let statement = horizon_of(statement.param("keys", keys.to_vec()), horizon);
            let GoneRow { gone, foreign } = self.ask_row(statement).await?;
            total += self.account(Removed { nodes: gone, foreign_edges: foreign });
        }
        Ok(total)
    }

    async fn foreign_edges(&self, user_id: Option<&str>) -> Result<u64> {
        let mut total = 0;
        for statement in cypher::FOREIGN_EDGES.iter() {
            let text = statement.of(user_id);
            total += self.through_pages("edges of others", text, user_id, LOOKED_AT_ONCE).await?;
        }
        Ok(total)
    }

    fn foreign_edges_removed(&self) -> Option<u64> {
        Some(self.foreign_edges.load(Ordering::Relaxed))
    }

    async fn renew_entities(&self) -> Result<()> {
        let mut after = Some(String::new());
        while let Some(key) = after {
            let statement = Statement::work("the renewal of entities", &cypher::RENEW_ENTITIES);
            after = self.ask_value(statement.param("after", key).param("limit", RENEWED_AT_ONCE)).await?;
        }
        Ok(())
    }

    async fn get_nodes(&self, ids: &[Uuid]) -> Result<Vec<NodeVersion>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        self.node_versions(Statement::work("memories by id", &cypher::GET_NODES).param("keys", keys)).await
    }

    async fn count(&self, user_id: Option<&str>) -> Result<u64> {
        let statement = scoped_question("the count of memories", cypher::COUNT_LIVE.of(user_id), user_id);
        self.ask_value(statement).await
    }

    async fn clear(&self, user_id: Option<&str>) -> Result<Removed> {
        let mut removed = self.clear_memories(user_id).await?;
        removed.foreign_edges += self.settle_entities(user_id).await?;
        Ok(self.account(removed))
    }

    async fn strongest_relations(&self, user_id: &str, limit: usize) -> Result<Vec<StrongRelation>> {
        let ask = |text: &str, limit: usize| {
            self.ask::<RelationRow>(
                Statement::question("the strongest relations", text)
                    .param("userId", user_id)
                    .param("limit", bolt_limit(limit)),
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

fn scoped(what: &'static str, text: &str, user_id: Option<&str>) -> Statement {
    of_user(Statement::work(what, text), user_id)
}

fn scoped_question(what: &'static str, text: &str, user_id: Option<&str>) -> Statement {
    of_user(Statement::question(what, text), user_id)
}

fn of_user(statement: Statement, user_id: Option<&str>) -> Statement {
    statement.param("userId", user_id.map_or(BoltType::Null(BoltNull), BoltType::from))
}

fn numbers(buckets: &[i32]) -> Vec<i64> {
    buckets.iter().map(|&bucket| i64::from(bucket)).collect()
}

fn bolt_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
