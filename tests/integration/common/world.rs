//! A database of its own with one of the two graphs, and how the two are compared past the code under test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use izzie_memory::model::Projection;
use neo4rs::query;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::types::Json;
use tokio::sync::RwLockWriteGuard;
use uuid::Uuid;

use crate::common::layers::{Client, config, empty_neo4j, neo4j_uri};
use crate::common::neo4j::Driver;
use crate::common::postgres::{Database, Sql};
use crate::common::proxy::Proxy;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graph {
    Neo4j,
    Postgres,
}

pub struct World {
    pub database: Database,
    pub graph: Graph,
    /// Neo4j has one database for all tests.
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

/// How long a test waits for what happens within some seconds on a machine with nothing else to do.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Whoever writes waits for the graph as long as it takes.
pub fn patient() -> Value {
    json!({ "graphWaitMs": 20_000 })
}

impl World {
    pub async fn on_neo4j() -> Self {
        let alone = Some(empty_neo4j().await);
        Self { database: Database::migrated().await, graph: Graph::Neo4j, _alone: alone }
    }

    pub async fn on_postgres() -> Self {
        Self { database: Database::migrated().await, graph: Graph::Postgres, _alone: None }
    }

    pub fn config(&self) -> Value {
        config(&self.database.url(), (self.graph == Graph::Neo4j).then(neo4j_uri).as_deref())
    }

    /// The same, with the way to Neo4j, if that is the graph, through a proxy.
    pub fn config_through(&self, proxy: &Proxy) -> Value {
        let neo4j = (self.graph == Graph::Neo4j).then(|| format!("bolt://{}", proxy.address));
        config(&self.database.url(), neo4j.as_deref())
    }

    /// A layer of this process. All of them share their connections.
    pub fn layer(&self) -> Client {
        Client::bare(&self.config())
    }

    /// A layer with connections, queues and a worker of its own, as another process has them.
    pub fn instance(&self, number: u64) -> Client {
        let mut config = self.config();
        config["pool"] = json!({ "max": 4, "acquireTimeoutMs": 60_000 + number });
        Client::bare(&config)
    }

    pub async fn sql(&self) -> Sql {
        self.database.connect().await
    }

    /// Rows as other code writes them: owed to the graph at once. Each mentions Ann and one of seven others.
    pub async fn foreign_rows(&self, count: usize) {
        let insert = format!(
            "insert into public.memory_entries (user_id, content, metadata) \
             select 'u', 'foreign ' || n, jsonb_build_object('entities', jsonb_build_array( \
               jsonb_build_object('type', 'person', 'value', 'Ann'), \
               jsonb_build_object('type', 'person', 'value', 'Person ' || n % 7))) \
             from generate_series(1, {count}) n"
        );
        self.sql().await.run(&insert).await;
    }

    /// What is owed to the graph, not counting what it refused for good.
    pub async fn owed(&self) -> i64 {
        self.debts("state = 'pending'").await
    }

    pub async fn debts(&self, condition: &str) -> i64 {
        let count = format!(
            "select count(*) from izzie_memory.memory_sync \
             where target not in ('embedding', 'extraction') and {condition}"
        );
        self.sql().await.one(&count).await
    }

    pub async fn rows(&self) -> i64 {
        self.sql().await.one("select count(*) from public.memory_entries").await
    }

    /// Live nodes of the graph.
    pub async fn nodes(&self) -> usize {
        self.held().await.values().filter(|memory| memory.live).count()
    }

    /// The revisions of all nodes, tombstones included.
    pub async fn held_revisions(&self) -> Vec<i64> {
        self.held().await.values().map(|memory| memory.numbers[1]).collect()
    }

    /// Makes the graph wrong about its nth memory, in one of three ways.
    pub async fn drift(&self, nth: usize) {
        match self.graph {
            Graph::Neo4j => {
                let kinds = ["DETACH DELETE m", "SET m.h1 = m.h1 + 1", "SET m.revision = m.revision - 1"];
                let change = format!(
                    "MATCH (m:IzzieMemory {{deleted: false}}) WITH m ORDER BY m.key SKIP {nth} LIMIT 1 {}",
                    kinds[nth % kinds.len()]
                );
                Driver::connect().rows(query(&change)).await;
            }
            Graph::Postgres => {
                let kinds = [
                    "delete from izzie_memory.graph_memories",
                    "update izzie_memory.graph_memories set h1 = h1 + 1",
                    "update izzie_memory.graph_memories set revision = revision - 1",
                ];
                let change = format!(
                    "{} where memory_id = (select memory_id from izzie_memory.graph_memories \
                       where not deleted order by memory_id offset {nth} limit 1)",
                    kinds[nth % kinds.len()]
                );
                self.sql().await.run(&change).await;
            }
        }
    }

    /// Waits until nothing is owed: somebody in the background pays.
    pub async fn wait_until_paid(&self, patience: Duration) {
        let begun = Instant::now();
        while self.owed().await > 0 {
            assert!(begun.elapsed() < patience, "{} debts after {patience:?}", self.owed().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes a call that may be repeated, again and again while a store that is busy does not answer in time.
    pub async fn insist(&self, layer: &Client, op: &str, args: Value) -> Value {
        let begun = Instant::now();
        loop {
            match layer.try_call(op, args.clone()).await {
                Ok(answer) => return answer,
                Err(error) => {
                    let goes_on = error.reason.retryable() && begun.elapsed() < PATIENCE;
                    assert!(goes_on, "{op}: {}", error.envelope());
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Pays everything through `layer`, then compares.
    pub async fn settle(&self, layer: &Client) {
        self.insist(layer, "fullSync", json!({})).await;
        assert_eq!(self.owed().await, 0);
        self.expect_equal().await;
    }

    /// Panics unless the graph holds exactly what Postgres says it should.
    pub async fn expect_equal(&self) {
        let differences = self.differences().await;
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    /// Where the graph is not what Postgres says it should be, in words.
    pub async fn differences(&self) -> Vec<String> {
        let (mut wanted, mut held) = (self.wanted().await, self.held().await);
        // A deleted memory needs no node, and a tombstone says nothing more than that.
        wanted.retain(|_, memory| memory.live);
        held.retain(|_, memory| memory.live);
        let mut differences: Vec<String> = wanted
            .keys()
            .chain(held.keys())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|id| wanted.get(id) != held.get(id))
            .map(|id| format!("{id}: wanted {:?}, held {:?}", wanted.get(id), held.get(id)))
            .collect();
        differences.extend(self.miscounted().await.iter().map(|key| format!("miscounted: {key}")));
        differences
    }

    async fn wanted(&self) -> BTreeMap<Uuid, Held> {
        let select = "select izzie_memory.projection(s.memory_id) from izzie_memory.memory_state s";
        let rows = self.sql().await.rows(select).await;
        rows.iter()
            .map(|row| row.get::<Json<Projection>, _>(0).0)
            .map(|wanted| (wanted.memory_id, Held::from(&wanted)))
            .collect()
    }

    async fn held(&self) -> BTreeMap<Uuid, Held> {
        match self.graph {
            Graph::Neo4j => held_by_neo4j().await,
            Graph::Postgres => self.held_by_postgres().await,
        }
    }

    async fn held_by_postgres(&self) -> BTreeMap<Uuid, Held> {
        let select = "select g.memory_id, g.user_id, array[g.epoch, g.revision, g.h1, g.h2], \
               not g.deleted and not g.detached, \
               array(select e.label || ' ' || e.normalized from izzie_memory.graph_mentions m \
                 join izzie_memory.graph_entities e on e.key = m.entity_key where m.memory_id = g.memory_id) \
             from izzie_memory.graph_memories g";
        let rows = self.sql().await.rows(select).await;
        rows.iter()
            .map(|row| {
                let mentions: Vec<String> = row.get(4);
                let held = Held {
                    user: row.get(1),
                    numbers: row.get(2),
                    live: row.get(3),
                    mentions: mentions.into_iter().collect(),
                };
                (row.get(0), held)
            })
            .collect()
    }

    /// Entities whose frequency is not the number of their mentions, or that are there twice.
    async fn miscounted(&self) -> Vec<String> {
        if self.graph == Graph::Neo4j {
            let read = "MATCH (e:IzzieEntity) WITH e.key AS key, count(e) AS nodes, sum(e.frequency) AS said, \
                        sum(COUNT { (e)-[:MENTIONED_IN]->() }) AS mentions \
                        WHERE nodes <> 1 OR said <> mentions RETURN key";
            let rows = Driver::connect().rows(query(read)).await;
            return rows.iter().map(|row| row.get("key").expect("text")).collect();
        }
        let select = "select e.normalized from izzie_memory.graph_entities e where e.frequency <> \
               (select count(*) from izzie_memory.graph_mentions m where m.entity_key = e.key)";
        self.sql().await.rows(select).await.iter().map(|row| row.get(0)).collect()
    }
}

/// What a graph should hold, or holds, of one memory.
#[derive(Debug, PartialEq)]
struct Held {
    user: String,
    /// Epoch, revision, both halves of the digest.
    numbers: Vec<i64>,
    live: bool,
    /// "Label name" of every entity.
    mentions: BTreeSet<String>,
}

impl From<&Projection> for Held {
    fn from(wanted: &Projection) -> Self {
        let mention = |entity: &izzie_memory::model::Entity| {
            format!("{} {}", entity.kind.label().name(), entity.normalized)
        };
        Self {
            user: wanted.user_id.clone(),
            numbers: vec![wanted.version.epoch, wanted.version.revision, wanted.h1, wanted.h2],
            live: !wanted.deleted,
            mentions: wanted.entities.iter().map(mention).collect(),
        }
    }
}

async fn held_by_neo4j() -> BTreeMap<Uuid, Held> {
    // One without a key is none of ours: others may use our label.
    let read = "MATCH (m:IzzieMemory) WHERE m.key IS NOT NULL RETURN m.key AS key, m.userId AS user, \
        [m.epoch, m.revision, m.h1, m.h2] AS numbers, NOT m.deleted AND NOT m.detached AS live, \
        [(e:IzzieEntity)-[:MENTIONED_IN]->(m) | CASE e.type WHEN 'tool' THEN 'Project' WHEN 'action_item' THEN 'Topic' WHEN 'date' THEN 'Topic' ELSE substring([l IN labels(e) WHERE l <> 'IzzieEntity'][0], 5) END + ' ' + e.normalized] AS mentions";
    let rows = Driver::connect().rows(query(read)).await;
    let mut memories = BTreeMap::new();
    for row in rows {
        let held = Held {
            user: row.get("user").expect("text"),
            numbers: row.get("numbers").expect("numbers"),
            live: row.get("live").expect("a flag"),
            mentions: row.get::<Vec<String>>("mentions").expect("names").into_iter().collect(),
        };
        let key: String = row.get("key").expect("a key");
        let doubled = memories.insert(key.parse().expect("a UUID"), held);
        assert!(doubled.is_none(), "two nodes of {key}");
    }
    memories
}
