//! The graph side: one trait, two implementations (`neo4j`, `postgres_graph`), one conformance suite.

use async_trait::async_trait;
use uuid::Uuid;

use crate::error::Result;
use crate::model::{NodeVersion, Projection, StrongRelation, Version};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphKind {
    Neo4j,
    Postgres,
}

impl GraphKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Neo4j => "neo4j",
            Self::Postgres => "postgres",
        }
    }
}

/// The sign by which a graph knows the database that owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The identity of the graph, given at registration.
    pub store_id: Uuid,
    pub epoch: i64,
    /// The highest revision the owner had given out.
    pub high_water: i64,
    /// Drawn anew with every beat: two databases that both think they own the graph part here.
    pub nonce: Uuid,
}

/// What became of one projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    pub memory_id: Uuid,
    /// The version the graph holds now. Higher than the one sent when the fence refused it.
    pub version: Version,
    /// False when the graph held a higher version.
    pub applied: bool,
}

/// Which memory nodes a listing speaks of: those of a user (or all), with ids in `(after, up_to]`.
#[derive(Debug, Clone, Default)]
pub struct NodeRange {
    pub user_id: Option<String>,
    pub after: Option<Uuid>,
    pub up_to: Option<Uuid>,
}

/// A graph that mirrors memories. Every method is bounded in time and touches only nodes of this layer.
#[async_trait]
pub trait GraphStore: Send + Sync {
    fn kind(&self) -> GraphKind;

    /// True when the graph lives in the same database, is written by the writer's own statement and is restored
    /// together with it: then there is no beat.
    fn shares_database(&self) -> bool;

    /// Answers whether the store can be reached. Never longer than the operation timeout.
    async fn ping(&self) -> Result<()>;

    /// Makes sure that the uniqueness constraints exist. Idempotent, safe when two run at once.
    async fn prepare(&self) -> Result<()>;

    async fn read_beat(&self) -> Result<Option<Beat>>;

    /// Replaces the beat if it still has the nonce `expected` (`None`: if there is none). False: somebody else did.
    async fn swap_beat(&self, expected: Option<Uuid>, next: &Beat) -> Result<bool>;

    /// Applies every projection whose version is not below what the graph holds, in one transaction. One answer per
    /// projection in the order sent, or an error and nothing applied. A non-transient error means that at least one of the batch is
    /// unacceptable; the caller splits.
    async fn project(&self, batch: &[Projection]) -> Result<Vec<Applied>>;

    /// Memory nodes of a range in id order, tombstones included, at most `limit`.
    async fn list_nodes(&self, range: &NodeRange, limit: usize) -> Result<Vec<NodeVersion>>;

    /// The nodes with these ids.
    async fn get_nodes(&self, ids: &[Uuid]) -> Result<Vec<NodeVersion>>;

    /// Live memory nodes (neither tombstone nor detached).
    async fn count(&self, user_id: Option<&str>) -> Result<u64>;

    /// Deletes this layer's nodes (of that user) in bounded transactions; the beat stays. Returns memory nodes deleted.
    async fn clear(&self, user_id: Option<&str>) -> Result<u64>;

    /// The user's strongest relations: explicit relationships by supporting memories, then co-occurrences (pairs
    /// mentioned by at least two memories), strongest first, ties by name.
    async fn strongest_relations(&self, user_id: &str, limit: usize) -> Result<Vec<StrongRelation>>;

    async fn close(&self);
}
