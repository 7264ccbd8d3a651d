//! The Neo4j under test and a way to look into it past the store.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, FixedOffset};
use izzie_memory::config::{Neo4jOptions, Secret};
use izzie_memory::model::Version;
use izzie_memory::store::graph::{Beat, GraphStore};
use izzie_memory::store::neo4j::{Neo4jGraph, Tuning};
use neo4rs::{Graph, Query, Row};
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};
use uuid::Uuid;

use super::conformance::{Edge, EntityNode, Mention, ReadBack, Subject};

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

/// `TEST_NEO4J_*`, else the development server.
pub fn options() -> Neo4jOptions {
    Neo4jOptions {
        uri: Secret::new(variable("TEST_NEO4J_URI", "bolt://127.0.0.1:7687")),
        user: variable("TEST_NEO4J_USER", "neo4j"),
        password: Secret::new(variable("TEST_NEO4J_PASSWORD", "test-neo4j-pw")),
        database: None,
    }
}

/// Host and port, for a proxy.
pub fn address() -> String {
    let url = url::Url::parse(options().uri.reveal()).expect("a URI");
    format!("{}:{}", url.host_str().expect("a host"), url.port().unwrap_or(7687))
}

/// The same server through a proxy.
pub fn options_through(address: std::net::SocketAddr) -> Neo4jOptions {
    Neo4jOptions { uri: Secret::new(format!("bolt://{address}")), ..options() }
}

pub fn store(options: &Neo4jOptions) -> Neo4jGraph {
    Neo4jGraph::new(options, Tuning::default()).expect("valid options")
}

/// Tests that keep to users of their own share the server, others have it alone.
static SERVER: RwLock<()> = RwLock::const_new(());

/// The server, beside others that keep to their users. At most once for a test: it would wait for itself.
pub async fn shared() -> RwLockReadGuard<'static, ()> {
    let guard = SERVER.read().await;
    warm().await;
    guard
}

/// The server as it is, for this test alone.
pub async fn alone() -> RwLockWriteGuard<'static, ()> {
    let guard = SERVER.write().await;
    warm().await;
    guard
}

static WARM: OnceCell<()> = OnceCell::const_new();

/// Has the server answer and plan once, before a test gives it little time: one that has just started, on a busy
/// machine, may need a minute for its first statements.
async fn warm() {
    WARM.get_or_init(|| async {
        let (graph, begun) = (store(&options()), Instant::now());
        while let Err(error) = graph.prepare().await {
            let goes_on = error.reason.retryable() && begun.elapsed() < Duration::from_secs(240);
            assert!(goes_on, "{}", error.envelope());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
    .await;
}

/// For tests that share the server.
pub async fn subject() -> Subject {
    let server = shared().await;
    Subject { _server: Some(server), ..subject_on(&options()).await }
}

/// For tests that have the server for themselves.
pub async fn subject_on(options: &Neo4jOptions) -> Subject {
    let graph = store(options);
    graph.prepare().await.expect("prepared");
    // A graph in use has a beat. Looking for one that is not there, projections lock its key against each other.
    if graph.read_beat().await.expect("read").is_none() {
        let horizon = Version { epoch: 0, revision: 0 };
        let beat = Beat { store_id: Uuid::new_v4(), epoch: 1, high_water: 1, nonce: Uuid::new_v4(), horizon };
        graph.swap_beat(None, &beat).await.expect("swapped");
    }
    Subject { graph: Box::new(graph), read: Box::new(Driver::connect()), _server: None }
}

/// The bare driver.
pub struct Driver(Graph);

impl Driver {
    pub fn connect() -> Self {
        let options = options();
        Self(Graph::new(options.uri.reveal(), options.user, options.password.reveal()).expect("a pool"))
    }

    pub async fn transaction(&self) -> neo4rs::Txn {
        self.0.start_txn().await.expect("begun")
    }

    pub async fn rows(&self, query: Query) -> Vec<Row> {
        let mut stream = self.0.execute(query).await.expect("accepted");
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await.expect("a row") {
            rows.push(row);
        }
        rows
    }
}

fn get<T: for<'a> serde::Deserialize<'a>>(row: &Row, column: &str) -> T {
    row.get(column).unwrap_or_else(|error| panic!("{column}: {error}"))
}

fn micros(row: &Row, column: &str) -> i64 {
    get::<DateTime<FixedOffset>>(row, column).timestamp_micros()
}

/// The label that the key of a node with this label of a type is made with.
pub fn key_label(label: &str) -> String {
    match label {
        "IzzieTool" => "Project".to_owned(),
        "IzzieActionItem" | "IzzieDate" => "Topic".to_owned(),
        _ => label.strip_prefix("Izzie").unwrap_or(label).to_owned(),
    }
}

#[async_trait]
impl ReadBack for Driver {
    async fn entities(&self, user_id: &str) -> Vec<EntityNode> {
        let query = Query::new(
            "MATCH (e:IzzieEntity {userId: $user}) \
             RETURN [l IN labels(e) WHERE l <> 'IzzieEntity'] AS labels, e.type AS kind, e.name AS name, \
               e.normalized AS normalized, e.frequency AS frequency, e.confidence AS confidence, \
               e.firstSeen AS firstSeen, e.lastSeen AS lastSeen, COUNT { (e)-[:MENTIONED_IN]->(:IzzieMemory) } AS mentions \
             ORDER BY labels, normalized"
                .to_owned(),
        );
        let rows = self.rows(query.param("user", user_id)).await;
        rows.iter()
            .map(|row| EntityNode {
                label: key_label(&get::<Vec<String>>(row, "labels").join("+")),
                kind: get(row, "kind"),
                name: get(row, "name"),
                normalized: get(row, "normalized"),
                frequency: get(row, "frequency"),
                confidence: get(row, "confidence"),
                first_seen: micros(row, "firstSeen"),
                last_seen: micros(row, "lastSeen"),
                mentions: get(row, "mentions"),
            })
            .collect()
    }

    async fn mentions(&self, memory_id: Uuid) -> Vec<Mention> {
        let query = Query::new(
            "MATCH (e:IzzieEntity)-[r:MENTIONED_IN]->(:IzzieMemory {key: $key}) \
             RETURN e.normalized AS normalized, r.confidence AS confidence, r.source AS source, r.context AS context \
             ORDER BY normalized"
                .to_owned(),
        );
        let rows = self.rows(query.param("key", memory_id.to_string())).await;
        rows.iter()
            .map(|row| Mention {
                normalized: get(row, "normalized"),
                confidence: get(row, "confidence"),
                source: get(row, "source"),
                context: get(row, "context"),
            })
            .collect()
    }

    async fn edges(&self, user_id: &str) -> Vec<Edge> {
        let query = Query::new(
            "MATCH (a:IzzieEntity {userId: $user})-[r]->(b:IzzieEntity) \
             RETURN a.normalized AS from, type(r) AS kind, b.normalized AS to, r.memoryId AS memoryId, \
               r.evidence AS evidence"
                .to_owned(),
        );
        let rows = self.rows(query.param("user", user_id)).await;
        let mut edges: Vec<_> = rows
            .iter()
            .map(|row| Edge {
                from: get(row, "from"),
                kind: get(row, "kind"),
                to: get(row, "to"),
                memory_id: get::<String>(row, "memoryId").parse().expect("a UUID"),
                evidence: get(row, "evidence"),
            })
            .collect();
        edges.sort();
        edges
    }
}
