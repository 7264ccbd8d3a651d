//! The graph side: one trait, two implementations (`neo4j`, `postgres_graph`), one conformance suite.

use async_trait::async_trait;
use uuid::Uuid;

use super::graph_queries::GraphQueries;
use crate::error::{Error, Reason, Result};
use crate::model::{HeldMemory, NodeVersion, Projection, StrongRelation, Version};

/// The detail of a `TIMEOUT` whose server answers other statements meanwhile.
pub const SLOW: &str = "slow";

/// Whether a graph took too long though it is there: less at once may go through.
pub fn merely_slow(error: &Error) -> bool {
    error.reason == Reason::Timeout && error.details.get(SLOW).is_some_and(|slow| slow == true)
}

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
    /// Tombstones up to this version may be gone from the graph.
    pub horizon: Version,
}

/// Whether calls to a graph go through, after some that failed in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    Closed,
    /// Calls fail at once.
    Open,
    /// One call is under way to find out.
    Probing,
}

impl Circuit {
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::Probing];

    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Probing => "probing",
        }
    }
}

/// What became of one projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    /// The graph holds a higher version, which pays this one too.
    Refused,
    /// The graph has no such node and this version is not above its horizon: a tombstone may have stood there. To be
    /// read again and given a new revision.
    BelowHorizon,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    pub memory_id: Uuid,
    /// The version the graph holds now.
    pub version: Version,
    pub outcome: Outcome,
}

impl Applied {
    pub fn applied(&self) -> bool {
        self.outcome == Outcome::Applied
    }
}

/// Count and sums over the live memories of a bucket; equal on both sides when the memories are. The halves and the
/// numbers are taken modulo 2³², so that no sum overflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketDigest {
    pub bucket: i32,
    pub count: i64,
    pub h1: i64,
    pub h2: i64,
    pub epochs: i64,
    pub revisions: i64,
}

/// What a graph removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Nodes of ours: memories or entities, as the method says.
    pub nodes: u64,
    /// Edges of other programs that went with nodes of ours, those of entities included.
    pub foreign_edges: u64,
}

impl std::ops::AddAssign for Removed {
    fn add_assign(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.foreign_edges += other.foreign_edges;
    }
}

/// A graph that mirrors memories. Every method is bounded in time and touches only nodes of this layer.
#[async_trait]
pub trait GraphStore: GraphQueries {
    fn kind(&self) -> GraphKind;

    /// True when the graph lives in the same database, is written by the writer's own statement and is restored
    /// together with it: then there is no beat.
    fn shares_database(&self) -> bool;

    /// `None` where there is nothing that could break it.
    fn circuit(&self) -> Option<Circuit> {
        None
    }

    /// Answers whether the store can be reached. Never longer than the operation timeout.
    async fn ping(&self) -> Result<()>;

    /// Makes sure that the uniqueness constraints exist. Idempotent, safe when two run at once.
    async fn prepare(&self) -> Result<()>;

    /// The names of the constraints and indexes that [`prepare`](Self::prepare) would make.
    async fn unprepared(&self) -> Result<Vec<&'static str>>;

    /// The constraints that others put on what this layer writes: they can refuse its writes.
    async fn foreign_constraints(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn read_beat(&self) -> Result<Option<Beat>>;

    /// Replaces the beat if it still has the nonce `expected` (`None`: if there is none). False: somebody else did.
    async fn swap_beat(&self, expected: Option<Uuid>, next: &Beat) -> Result<bool>;

    /// Applies every projection whose version is not below what the graph holds, in one transaction. One answer per
    /// projection in the order sent, or an error and nothing applied. A non-transient error means that at least one of the batch is
    /// unacceptable; the caller splits.
    async fn project(&self, batch: &[Projection]) -> Result<Vec<Applied>>;

    /// Digests of the live nodes (neither tombstone nor detached) by bucket, buckets without any left out.
    async fn digests(&self, user_id: Option<&str>) -> Result<Vec<BucketDigest>>;

    /// The live nodes of these buckets.
    async fn list_buckets(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<NodeVersion>>;

    /// The buckets in which memories have not as many mentions or relationships as their nodes say: other code has removed
    /// entities or edges. Counted on the graph's side alone, from its own counts.
    async fn torn_buckets(&self, user_id: Option<&str>) -> Result<Vec<i32>>;

    /// The live nodes of these buckets that have not as many mentions and relationships as they say.
    async fn torn(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<Uuid>>;

    /// The nodes with these ids, tombstones included.
    async fn get_nodes(&self, ids: &[Uuid]) -> Result<Vec<NodeVersion>>;

    /// What the graph really holds of these memories, property by property; tombstones and missing nodes are left out.
    async fn read_back(&self, ids: &[Uuid]) -> Result<Vec<HeldMemory>>;

    /// Makes the next projection of these nodes look at everything they hold, whatever their properties say.
    async fn distrust(&self, ids: &[Uuid]) -> Result<()>;

    /// Live memory nodes (neither tombstone nor detached).
    async fn count(&self, user_id: Option<&str>) -> Result<u64>;

    /// Deletes this layer's nodes (of that user) in bounded transactions; the beat stays. Returns memory nodes deleted.
    async fn clear(&self, user_id: Option<&str>) -> Result<Removed>;

    /// Deletes at most `limit` entities that no memory mentions, each locked before it is looked at. Returns how many.
    async fn sweep_entities(&self, limit: usize) -> Result<Removed>;

    /// Raises the horizon to at least this version, then deletes those of the nodes that are tombstones not above it.
    async fn collect_tombstones(&self, ids: &[Uuid], horizon: Version) -> Result<Removed>;

    /// Edges of other programs at nodes of this layer (of that user).
    async fn foreign_edges(&self, _user_id: Option<&str>) -> Result<u64> {
        Ok(0)
    }

    /// Edges of other programs that went with nodes of this layer since it was opened. `None` where there can be none.
    fn foreign_edges_removed(&self) -> Option<u64> {
        None
    }

    /// Gives the form of today to what no projection reaches: entities that no memory mentions. Part of a renewal;
    /// bounded transactions, may be repeated.
    async fn renew_entities(&self) -> Result<()> {
        Ok(())
    }

    /// The user's strongest relations: explicit relationships by supporting memories, then co-occurrences (pairs
    /// mentioned by at least two memories), strongest first, ties by name.
    async fn strongest_relations(&self, user_id: &str, limit: usize) -> Result<Vec<StrongRelation>>;

    async fn close(&self);
}
