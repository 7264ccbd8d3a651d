//! A database of its own for every test, on the Postgres under test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use izzie_memory::config::{PoolOptions, Secret};
use izzie_memory::context::CallContext;
use izzie_memory::store::postgres::{LOCK_PATIENCE, Postgres, PostgresConfig};
use izzie_memory::store::postgres_graph::PostgresGraph;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row};
use tokio::time::sleep;
use uuid::Uuid;

use super::conformance::{Edge, EntityNode, Mention, ReadBack, Subject};

fn server() -> PgConnectOptions {
    let url = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
    let url = url.unwrap_or_else(|| "postgres://izzie:test-pg-pw@127.0.0.1:5433/izzie".to_owned());
    url.parse().expect("TEST_DATABASE_URL is a Postgres URL")
}

/// Host and port of the server, for a proxy.
pub fn address() -> String {
    let server = server();
    format!("{}:{}", server.get_host(), server.get_port())
}

/// An empty database, dropped with this value.
pub struct Database {
    name: String,
}

impl Database {
    pub async fn empty() -> Self {
        Self::with("").await
    }

    /// With options of `create database`.
    pub async fn with(options: &str) -> Self {
        let name = format!("izzie_test_{}", Uuid::new_v4().simple());
        let mut admin = server().connect().await.expect("the test server");
        admin.execute(AssertSqlSafe(format!("create database {name} {options}"))).await.expect("created");
        admin.close().await.expect("closed");
        Self { name }
    }

    /// A database with this version's schema.
    pub async fn migrated() -> Self {
        Self::empty().await.with_schema().await
    }

    /// The same database with this version's schema.
    pub async fn with_schema(self) -> Self {
        let postgres = self.open();
        postgres.migrate(&CallContext::default(), LOCK_PATIENCE).await.expect("migrated");
        postgres.close().await;
        self
    }

    /// A backup: another database with all that this one holds. Cuts every connection to this one.
    pub async fn copy(&self) -> Self {
        let copy = Self { name: format!("izzie_test_{}", Uuid::new_v4().simple()) };
        copy.create_from(self).await;
        copy
    }

    /// Becomes what the backup holds. Cuts every connection.
    pub async fn restore(&self, backup: &Self) {
        let mut admin = server().connect().await.expect("the test server");
        admin
            .execute(AssertSqlSafe(format!("drop database {} with (force)", self.name)))
            .await
            .expect("dropped");
        self.create_from(backup).await;
    }

    async fn create_from(&self, template: &Self) {
        let mut admin = server().connect().await.expect("the test server");
        let cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
        sqlx::query(cut).bind(&template.name).execute(&mut admin).await.expect("cut");
        let create = format!("create database {} template {}", self.name, template.name);
        admin.execute(AssertSqlSafe(create)).await.expect("created");
    }

    pub fn options(&self) -> PgConnectOptions {
        server().database(&self.name)
    }

    /// As a layer's `databaseUrl`.
    pub fn url(&self) -> Secret {
        Secret::new(self.options().to_url_lossy().to_string())
    }

    /// The same through a proxy.
    pub fn url_through(&self, proxy: std::net::SocketAddr) -> Secret {
        let options = self.options().host(&proxy.ip().to_string()).port(proxy.port());
        Secret::new(options.to_url_lossy().to_string())
    }

    pub fn open(&self) -> Postgres {
        let config = PostgresConfig {
            url: self.url(),
            direct_url: None,
            embedded: false,
            pool: PoolOptions { max: 10, ..PoolOptions::default() },
        };
        Postgres::new(&config).expect("valid")
    }

    /// Of a role that signs in with the password `pw`.
    pub fn url_of(&self, role: &str) -> Secret {
        Secret::new(self.options().username(role).password("pw").to_url_lossy().to_string())
    }

    /// 5 s after a failure no backend of ours is active.
    pub async fn nothing_runs_on(&self) {
        let mut sql = self.connect().await;
        let begun = Instant::now();
        loop {
            let active: i64 = sql
                .one(
                    "select count(*) from pg_stat_activity where datname = current_database() \
                     and application_name = 'izzie-memory' and state = 'active'",
                )
                .await;
            if active == 0 {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{active} backends of ours are active");
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn connect(&self) -> Sql {
        Sql(self.options().connect().await.expect("connected"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (server(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut admin = server.connect().await.expect("the test server");
                let drop = AssertSqlSafe(format!("drop database if exists {name} with (force)"));
                admin.execute(drop).await.expect("dropped");
            });
        });
        // A test that failed already must not abort here.
        if dropping.join().is_err() && !std::thread::panicking() {
            panic!("the test database could not be dropped");
        }
    }
}

/// A bare connection, as other code has one.
pub struct Sql(pub PgConnection);

impl Sql {
    pub async fn run(&mut self, sql: &str) {
        self.0.execute(AssertSqlSafe(sql.to_owned())).await.expect(sql);
    }

    pub async fn fails(&mut self, sql: &str) -> String {
        self.0.execute(AssertSqlSafe(sql.to_owned())).await.expect_err(sql).to_string()
    }

    pub async fn rows(&mut self, sql: &str) -> Vec<PgRow> {
        self.0.fetch_all(AssertSqlSafe(sql.to_owned())).await.expect(sql)
    }

    pub async fn one<T>(&mut self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        self.rows(sql).await.first().expect("a row").get(0)
    }

    /// Registers a graph as current, as the first instance of a layer does.
    pub async fn register_graph(&mut self, kind: &str) {
        self.run(&format!("select izzie_memory.register_target('{kind}:t', '{kind}', gen_random_uuid(), 1)"))
            .await;
    }
}

pub async fn subject() -> Subject {
    subject_on(Arc::new(Database::migrated().await)).await
}

pub async fn subject_on(database: Arc<Database>) -> Subject {
    database.connect().await.register_graph("postgres").await;
    let graph = PostgresGraph::new(Arc::new(database.open()));
    let read = Reader { database };
    Subject { graph: Box::new(graph), read: Box::new(read) }
}

struct Reader {
    database: Arc<Database>,
}

#[async_trait]
impl ReadBack for Reader {
    async fn entities(&self, user_id: &str) -> Vec<EntityNode> {
        let rows = sqlx::query(
            "select label, type, name, normalized, frequency, confidence, first_seen, last_seen, \
               (select count(*) from izzie_memory.graph_mentions m where m.entity_key = e.key) as mentions \
             from izzie_memory.graph_entities e where user_id = $1 order by label, normalized collate \"C\"",
        )
        .bind(user_id)
        .fetch_all(&mut self.database.connect().await.0)
        .await
        .expect("read");
        let node = |row: &PgRow| EntityNode {
            label: row.get("label"),
            kind: row.get("type"),
            name: row.get("name"),
            normalized: row.get("normalized"),
            frequency: row.get("frequency"),
            confidence: row.get("confidence"),
            first_seen: row.get("first_seen"),
            last_seen: row.get("last_seen"),
            mentions: row.get("mentions"),
        };
        rows.iter().map(node).collect()
    }

    async fn mentions(&self, memory_id: Uuid) -> Vec<Mention> {
        let rows = sqlx::query(
            "select e.normalized, m.confidence, m.source, m.context from izzie_memory.graph_mentions m \
             join izzie_memory.graph_entities e on e.key = m.entity_key \
             where m.memory_id = $1 order by e.normalized collate \"C\"",
        )
        .bind(memory_id)
        .fetch_all(&mut self.database.connect().await.0)
        .await
        .expect("read");
        let mention = |row: &PgRow| Mention {
            normalized: row.get("normalized"),
            confidence: row.get("confidence"),
            source: row.get("source"),
            context: row.get("context"),
        };
        rows.iter().map(mention).collect()
    }

    async fn edges(&self, user_id: &str) -> Vec<Edge> {
        let rows = sqlx::query(
            "select f.normalized as from_name, r.type, t.normalized as to_name, r.memory_id, r.evidence \
             from izzie_memory.graph_relations r join izzie_memory.graph_entities f on f.key = r.from_key \
             join izzie_memory.graph_entities t on t.key = r.to_key where r.user_id = $1",
        )
        .bind(user_id)
        .fetch_all(&mut self.database.connect().await.0)
        .await
        .expect("read");
        let edge = |row: &PgRow| Edge {
            from: row.get("from_name"),
            kind: row.get("type"),
            to: row.get("to_name"),
            memory_id: row.get("memory_id"),
            evidence: row.get("evidence"),
        };
        let mut edges: Vec<_> = rows.iter().map(edge).collect();
        edges.sort();
        edges
    }
}
