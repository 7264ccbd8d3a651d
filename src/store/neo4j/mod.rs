//! The graph in Neo4j.
//!
//! Every node of ours carries `:IzzieMemory`, `:IzzieEntity` or `:IzzieBeat` and a key under a uniqueness constraint;
//! the application's labels stand beside it. Other nodes are never touched.

mod breaker;
mod config;
mod cypher;
mod exchange;
mod failure;
mod nodelay;
mod rows;
mod schema;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use neo4rs::{BoltNull, BoltType, Row};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub use self::config::Tuning;
use self::exchange::{Exchange, Statement};
use self::failure::Failure;
use self::rows::Rows;
use super::graph::{Applied, Beat, GraphKind, GraphStore, NodeRange};
use crate::config::Neo4jOptions;
use crate::error::{Error, Reason, Result};
use crate::model::{NodeVersion, Projection, StrongRelation, Version};

/// Nodes per deleting transaction. The server holds a transaction's changes in memory, the mentions included.
const MEMORIES_PER_CLEAR: i64 = 500;
const ENTITIES_PER_CLEAR: i64 = 100;

/// Above every key: keys are hexadecimal.
const ABOVE_ALL_KEYS: &str = "g";

pub struct Neo4jGraph {
    exchange: Arc<Exchange>,
}

impl Neo4jGraph {
    /// Checks the options; connects at the first use.
    pub fn new(options: &Neo4jOptions, tuning: Tuning) -> Result<Self> {
        Ok(Self { exchange: Arc::new(Exchange::new(options, tuning)?) })
    }

    async fn ask<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>> {
        answers(self.exchange.run(statement).await?)
    }

    async fn ask_one<T: DeserializeOwned>(&self, statement: Statement) -> Result<T> {
        let row = self.ask(statement).await?.pop();
        row.ok_or_else(|| Error::graph(Reason::Internal, "Neo4j returned no row for an aggregate."))
    }

    async fn clear_memories(&self, user_id: Option<&str>) -> Result<u64> {
        #[derive(Deserialize)]
        struct Gone {
            gone: u64,
        }
        let mut total = 0;
        loop {
            let statement =
                scoped(cypher::CLEAR_MEMORIES.of(user_id), user_id).param("limit", MEMORIES_PER_CLEAR);
            let Gone { gone } = self.ask_one(statement).await?;
            total += gone;
            if gone == 0 {
                return Ok(total);
            }
        }
    }

    async fn clear_entities(&self, user_id: Option<&str>) -> Result<()> {
        #[derive(Deserialize)]
        struct Last {
            last: Option<String>,
        }
        let mut after = String::new();
        loop {
            let statement = scoped(cypher::CLEAR_ENTITIES.of(user_id), user_id)
                .param("after", after)
                .param("limit", ENTITIES_PER_CLEAR);
            match self.ask_one(statement).await? {
                Last { last: Some(last) } => after = last,
                Last { last: None } => return Ok(()),
            }
        }
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

    async fn ping(&self) -> Result<()> {
        self.exchange.run(Statement::new(cypher::PING)).await.map(drop)
    }

    async fn prepare(&self) -> Result<()> {
        schema::prepare(&self.exchange).await
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
        Ok(!self.exchange.run(statement).await?.is_empty())
    }

    async fn project(&self, batch: &[Projection]) -> Result<Vec<Applied>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let Rows { list, any_relationships } = Rows::of(batch)?;
        let text = if any_relationships { &cypher::PROJECT_WITH_RELATIONSHIPS } else { &cypher::PROJECT };
        let held: Vec<Held> = self.ask(Statement::new(text).param("rows", list)).await?;
        let held: HashMap<_, _> = held.into_iter().map(|held| (held.key.clone(), held)).collect();
        batch.iter().map(|projection| applied(projection, &held)).collect()
    }

    async fn list_nodes(&self, range: &NodeRange, limit: usize) -> Result<Vec<NodeVersion>> {
        let user_id = range.user_id.as_deref();
        let statement = scoped(cypher::LIST_NODES.of(user_id), user_id)
            .param("after", range.after.map_or_else(String::new, |id| id.to_string()))
            .param("upTo", range.up_to.map_or_else(|| ABOVE_ALL_KEYS.to_owned(), |id| id.to_string()))
            .param("limit", bolt_limit(limit));
        self.node_versions(statement).await
    }

    async fn get_nodes(&self, ids: &[Uuid]) -> Result<Vec<NodeVersion>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        self.node_versions(Statement::new(&cypher::GET_NODES).param("keys", keys)).await
    }

    async fn count(&self, user_id: Option<&str>) -> Result<u64> {
        #[derive(Deserialize)]
        struct Live {
            live: u64,
        }
        let text = if user_id.is_some() { cypher::COUNT_LIVE_OF_USER } else { cypher::COUNT_LIVE };
        let Live { live } = self.ask_one(scoped(text, user_id)).await?;
        Ok(live)
    }

    async fn clear(&self, user_id: Option<&str>) -> Result<u64> {
        let gone = self.clear_memories(user_id).await?;
        self.clear_entities(user_id).await?;
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

impl Neo4jGraph {
    async fn node_versions(&self, statement: Statement) -> Result<Vec<NodeVersion>> {
        let nodes: Vec<NodeRow> = self.ask(statement).await?;
        nodes.into_iter().map(NodeVersion::try_from).collect()
    }
}

/// What the projecting statement says of one memory.
#[derive(Deserialize)]
struct Held {
    key: String,
    epoch: i64,
    revision: i64,
    applied: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeRow {
    key: String,
    user_id: String,
    epoch: i64,
    revision: i64,
    h1: i64,
    h2: i64,
    deleted: bool,
    detached: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BeatRow {
    store_id: String,
    epoch: i64,
    high_water: i64,
    nonce: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RelationRow {
    from_type: String,
    from_name: String,
    to_type: String,
    to_name: String,
    kind: String,
    weight: i64,
}

impl TryFrom<NodeRow> for NodeVersion {
    type Error = Error;

    fn try_from(row: NodeRow) -> Result<Self> {
        Ok(Self {
            memory_id: id(&row.key)?,
            user_id: row.user_id,
            version: Version { epoch: row.epoch, revision: row.revision },
            h1: row.h1,
            h2: row.h2,
            deleted: row.deleted,
            detached: row.detached,
        })
    }
}

impl TryFrom<BeatRow> for Beat {
    type Error = Error;

    fn try_from(row: BeatRow) -> Result<Self> {
        Ok(Self {
            store_id: id(&row.store_id)?,
            epoch: row.epoch,
            high_water: row.high_water,
            nonce: id(&row.nonce)?,
        })
    }
}

impl From<RelationRow> for StrongRelation {
    fn from(row: RelationRow) -> Self {
        let RelationRow { from_type, from_name, to_type, to_name, kind, weight } = row;
        Self { from_type, from_name, to_type, to_name, kind, weight }
    }
}

/// Rows returned are compared with rows sent: a memory the answer does not name counts as not applied.
fn applied(projection: &Projection, held: &HashMap<String, Held>) -> Result<Applied> {
    let held = held.get(&projection.memory_id.to_string()).ok_or_else(|| {
        Error::graph(Reason::Internal, "Neo4j did not answer for every memory of a batch.")
            .with("memoryId", projection.memory_id.to_string())
    })?;
    let version = Version { epoch: held.epoch, revision: held.revision };
    // Of two versions of one memory in a batch only the higher was sent.
    Ok(Applied {
        memory_id: projection.memory_id,
        version,
        applied: held.applied && version == projection.version,
    })
}

fn answers<T: DeserializeOwned>(rows: Vec<Row>) -> Result<Vec<T>> {
    rows.iter().map(|row| Ok(row.to().map_err(Failure::from)?)).collect()
}

fn scoped(text: &str, user_id: Option<&str>) -> Statement {
    Statement::new(text).param("userId", user_id.map_or(BoltType::Null(BoltNull), BoltType::from))
}

fn bolt_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Somebody else's node under our label, or one of ours edited by hand.
fn id(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| {
        Error::graph(Reason::Internal, "Neo4j holds a node of this layer whose key is no UUID.")
            .with("key", text)
    })
}
